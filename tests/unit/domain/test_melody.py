"""A melody is read whole or refused with all that is wrong with it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.errors import InvalidRequestError
from symphony.domain.melody import MAX_BYTES, TYPES, read_melody
from symphony.domain.operations import OPERATIONS
from symphony.domain.pit.dag_tracker import DagTracker, StartRun
from symphony.domain.workflow import Input

TIDY = Path(__file__).parents[3] / "examples" / "melodies" / "tidy.melody.toml"

HEAD = 'melody = 1\nname = "t"\n[inputs.file]\ntype = "path"\n[inputs.count]\ntype = "integer"\n'
OPEN = '[[steps]]\nid = "open"\ndoes = "text.open"\nwith = { path = "${inputs.file}" }\n'


def read(text, folder="/melodies"):
    return read_melody(text, source="t.melody.toml", folder=folder)


def problems_of(text):
    with pytest.raises(InvalidRequestError) as caught:
        read(text)
    return list(caught.value.problems)


def test_the_example_is_read():
    flow = read_melody(TIDY.read_text(), source="tidy.melody.toml", folder="/repo/examples/melodies")

    assert flow.name == "tidy"
    assert flow.inputs == (Input("file", "path", "The file to tidy; UTF-8."),)
    assert flow.extensions == {"tidy": "/repo/examples/extensions/tidy"}
    assert {step.id: step.needs for step in flow.steps} == {
        "open": (),
        "tidy": ("open",),
        "apply": ("open", "tidy"),
        "save": ("apply", "open"),
        "keep": ("save", "tidy"),
    }
    assert [step.operation for step in flow.steps] == [
        "text.open", "extension.invoke", "text.apply", "text.save", "artifact.put",
    ]  # fmt: skip
    assert (flow.steps[1].extension, flow.steps[1].extension_operation, flow.steps[1].timeout_s) == ("tidy", "tidy", 10.0)


def test_what_was_read_can_be_tracked():
    flow = read_melody(TIDY.read_text(), source="tidy.melody.toml", folder="/repo/examples/melodies")
    tracker = DagTracker()

    tracker.handle(StartRun("r", flow, {"file": "/a"}), 0.0)

    assert tracker.ready_steps("r") == ("open",)


def test_defaults_are_those_of_a_step():
    (step,) = read(HEAD + OPEN).steps

    assert (step.retries, step.timeout_s, step.extension, step.extension_operation) == (3, 30.0, None, None)


def test_a_relative_path_is_relative_to_the_folder_of_the_melody():
    text = HEAD + '[extensions.x]\npath = "ext"\n' + OPEN.replace("${inputs.file}", "n.md")

    flow = read(text)

    assert flow.extensions == {"x": "/melodies/ext"}
    assert flow.steps[0].arguments == {"path": "/melodies/n.md"}


def test_an_absolute_path_and_one_from_a_reference_are_left_alone():
    text = HEAD.replace('type = "integer"', 'type = "text"') + OPEN.replace("${inputs.file}", "${inputs.file}/${inputs.count}.md")

    assert read(text).steps[0].arguments == {"path": "${inputs.file}/${inputs.count}.md"}
    assert read(HEAD + OPEN.replace("${inputs.file}", "/etc/hosts")).steps[0].arguments == {"path": "/etc/hosts"}


def test_a_reference_to_a_later_step_is_read():
    later = '[[steps]]\nid = "save"\ndoes = "text.save"\nwith = { buffer = "${steps.open.buffer}" }\n'

    assert read(HEAD + later + OPEN).steps[0].needs == ("open",)


def test_references_in_open_arguments_are_found_at_any_depth():
    text = HEAD + '[extensions.x]\npath = "x"\n' + OPEN
    text += '[[steps]]\nid = "go"\ndoes = "extension.invoke"\nextension = "x"\noperation = "f"\n'
    text += '[steps.with]\ndeep = [{ t = "a ${steps.open.text}" }, 1, true, 2.5]\n'

    step = read(text).steps[1]

    assert step.needs == ("open",)
    assert step.arguments == {"deep": [{"t": "a ${steps.open.text}"}, 1, True, 2.5]}


STEP_PROBLEMS = [
    ('id = "a"\ndoes = "text.opn"', 'steps[1].does: "text.opn" is not an operation; did you mean "text.open"?'),
    ('id = "a"\ndoes = "burn"', f'steps[1].does: "burn" is not an operation; there are {", ".join(OPERATIONS)}'),
    ('id = "a"', f"steps[1].does: is missing; there are {', '.join(OPERATIONS)}"),
    ('does = "text.open"\nwith = {path = "/a"}', "steps[1].id: is missing"),
    (
        'id = "a b"\ndoes = "text.open"\nwith = {path = "/a"}',
        "steps[1].id: must be a text of letters, digits, _ and -, which does not start with a digit or -",
    ),
    ('id = "open"\ndoes = "text.open"\nwith = {path = "/a"}', 'steps[1].id: "open" is the id of another step, too'),
    ('id = "a"\ndoes = "text.open"', "steps[1].with.path: is missing; text.open needs a path there"),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "/a", pth = 1}',
        'steps[1].with.pth: text.open takes no such argument; did you mean "path"?',
    ),
    ('id = "a"\ndoes = "text.open"\nwith = {path = 5}', "steps[1].with.path: must be a path, not an integer"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = ""}', "steps[1].with.path: must be a path, not an empty text"),
    ('id = "a"\ndoes = "text.open"\nwith = 5', "steps[1].with: must be a table, as in with = { NAME = VALUE }"),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "${inputs.fil}"}',
        'steps[1].with.path: "${inputs.fil}" names no input; did you mean "file"?',
    ),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "${inputs.count}"}',
        'steps[1].with.path: must be a path, and "${inputs.count}" is an integer',
    ),
    (
        'id = "a"\ndoes = "text.save"\nwith = {buffer = "/a"}',
        "steps[1].with.buffer: must be a reference to a buffer, not a text",
    ),
    (
        'id = "a"\ndoes = "text.save"\nwith = {buffer = "${steps.opn.buffer}"}',
        'steps[1].with.buffer: "${steps.opn.buffer}" names no step; did you mean "open"?',
    ),
    (
        'id = "a"\ndoes = "text.save"\nwith = {buffer = "${steps.open.bufr}"}',
        'steps[1].with.buffer: "${steps.open.bufr}" names no output; "open" gives buffer, text, revision; did you mean "buffer"?',
    ),
    (
        'id = "a"\ndoes = "text.save"\nwith = {buffer = "${steps.a.buffer}"}',
        'steps[1].with.buffer: "${steps.a.buffer}" refers to its own step',
    ),
    (
        'id = "a"\ndoes = "artifact.put"\nwith = {text = "x ${steps.open.buffer}", media_type = "text/plain"}',
        'steps[1].with.text: "${steps.open.buffer}" is a buffer, which cannot stand within a text',
    ),
    (
        'id = "a"\ndoes = "artifact.put"\nwith = {text = "${steps.open}", media_type = "text/plain"}',
        'steps[1].with.text: "${steps.open}" is not a reference; write ${inputs.NAME} or ${steps.ID.OUTPUT}, or $${ for ${',
    ),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nretires = 1',
        'steps[1].retires: is not a key of a step; did you mean "retries"?',
    ),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nfor_each = "x"', "steps[1].for_each: is not built yet"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nif = "x"', "steps[1].if: is not built yet"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nretries = -1', "steps[1].retries: must be from 0 to 100, not -1"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nretries = 1.5', "steps[1].retries: must be an integer"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nretries = true', "steps[1].retries: must be an integer"),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\ntimeout_s = 0',
        "steps[1].timeout_s: must be more than 0, to 86400, not 0",
    ),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\ntimeout_s = inf', "steps[1].timeout_s: must be a number"),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nafter = "open"', "steps[1].after: must be a list of steps' ids"),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nafter = ["opne"]',
        'steps[1].after[0]: "opne" names no step; did you mean "open"?',
    ),
    ('id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nafter = ["a"]', "steps[1].after[0]: a step cannot come after itself"),
    (
        'id = "a"\ndoes = "text.open"\nwith = {path = "/a"}\nextension = "x"',
        "steps[1].extension: is for extension.invoke only, and this step does text.open",
    ),
    ('id = "a"\ndoes = "extension.invoke"\nextension = "x"', "steps[1].operation: is missing; extension.invoke needs it"),
    ('id = "a"\ndoes = "extension.invoke"\nextension = "z"\noperation = "f"', 'steps[1].extension: "z" names no extension'),
    (
        'id = "a"\ndoes = "extension.invoke"\nextension = "x"\noperation = "f"\nwith = {day = 2026-01-01}',
        "steps[1].with.day: a date or time is not plain data; write it as a text",
    ),
    (
        'id = "a"\ndoes = "extension.invoke"\nextension = "x"\noperation = "f"\nwith = {big = 99999999999999999999}',
        "steps[1].with.big: does not fit into 64 bits",
    ),
]


@pytest.mark.parametrize(("step", "problem"), STEP_PROBLEMS, ids=[problem for _, problem in STEP_PROBLEMS])
def test_a_wrong_step_is_one_problem_with_its_place_and_rule(step, problem):
    found = problems_of(HEAD + '[extensions.x]\npath = "x"\n' + OPEN + "[[steps]]\n" + step + "\n")

    assert [text.split(": ", 1)[1] for text in found if problem in text] == [problem]
    assert all(text.startswith("t.melody.toml:") for text in found)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('name = "t"\n' + OPEN, "t.melody.toml: melody: must be the version of the format, as in melody = 1"),
        ('melody = "1"\nname = "t"\n', "t.melody.toml:1: melody: must be the version of the format, as in melody = 1"),
        ("melody = 1\n" + OPEN.replace("${inputs.file}", "/a"), "t.melody.toml: name: is missing"),
        ('melody = 1\nname = " "\n', "t.melody.toml:2: name: must be a text that is not empty"),
        ('melody = 1\nname = "t"\n', "t.melody.toml: steps: are missing; write [[steps]]"),
        ('melody = 1\nname = "t"\nsteps = []\n', "t.melody.toml:3: steps: there are none; a melody has one step at least"),
        ('melody = 1\nname = "t"\nsteps = 5\n', "t.melody.toml:3: steps: must be tables, as in [[steps]]"),
        ('melody = 1\nname = "t"\nsumary = ""\n', 't.melody.toml:3: sumary: is not a key of a melody; did you mean "summary"?'),
        ('melody = 1\nname = "t"\nsummary = 5\n', "t.melody.toml:3: summary: must be a text"),
        ('melody = 1\nname = "t"\ninputs = 5\n', "t.melody.toml:3: inputs: must be tables, as in [inputs.NAME]"),
        ('melody = 1\nname = "t"\ninputs.x = 5\n', "t.melody.toml:3: inputs.x: must be a table, as in [inputs.x]"),
        ('melody = 1\nname = "t"\n[inputs.x]\n', "t.melody.toml:3: inputs.x.type: is missing"),
        (
            'melody = 1\nname = "t"\n[inputs.x]\ntype = "pth"\n',
            f"t.melody.toml:4: inputs.x.type: must be one of {', '.join(TYPES)}, not 'pth'",
        ),
        (
            'melody = 1\nname = "t"\n[inputs.x]\ntype = "path"\ndefault = 1\n',
            "t.melody.toml:5: inputs.x.default: is not a key here",
        ),
        (
            'melody = 1\nname = "t"\n[inputs."a b"]\ntype = "path"\n',
            "t.melody.toml: inputs.a b: a name has letters, digits, _ and - only, and does not start with a digit or -",
        ),
        ('melody = 1\nname = "t"\n[extensions.x]\n', "t.melody.toml:3: extensions.x.path: is missing"),
    ],
)
def test_a_wrong_top_level_is_a_problem_with_its_place_and_rule(text, problem):
    assert problem in problems_of(text)


def test_another_version_is_not_built_and_nothing_more_is_said():
    assert problems_of("melody = 2\nsteps = 5\n") == [
        "t.melody.toml:1: melody: melody = 2 is not built yet; write melody = 1",
    ]


def test_every_problem_is_listed_at_once_with_its_line():
    text = (
        HEAD
        + '[[steps]]\nid = "a"\ndoes = "text.opn"\n\n[[steps]]\nid = "b"\ndoes = "text.save"\nwith = { buffer = "x" }\nwhen = 1\n'
    )

    assert problems_of(text) == [
        't.melody.toml:9: steps[0].does: "text.opn" is not an operation; did you mean "text.open"?',
        "t.melody.toml:15: steps[1].when: is not built yet",
        "t.melody.toml:14: steps[1].with.buffer: must be a reference to a buffer, not a text",
    ]


def test_a_cycle_is_named():
    text = HEAD + "".join(
        f'[[steps]]\nid = "{id_}"\ndoes = "text.open"\nwith = {{ path = "/a" }}\nafter = ["{after}"]\n'
        for id_, after in (("a", "c"), ("b", "a"), ("c", "b"))
    )

    assert problems_of(text) == ['t.melody.toml:7: steps[0]: "a" needs "c" needs "b" needs "a": a cycle, which could never start']


def test_a_line_is_that_of_the_key_and_not_of_a_text_that_looks_like_one():
    text = HEAD.replace('name = "t"', 'name = "t"\nsummary = """\n[[steps]]\nid = 1\n"""') + '[[steps]]\nid = "a"\ndoes = "x"\n'

    assert problems_of(text)[0].startswith("t.melody.toml:13: steps[0].does:")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("melody = 1\nname = \n", "t.melody.toml:2: is not TOML: Invalid value, at column 8"),
        ('a = """', "t.melody.toml: is not TOML: "),
        ("a = 1\na = 2\n", "t.melody.toml:2: is not TOML: Cannot overwrite a value"),
        ("a = " + "9" * 5000, "t.melody.toml: is not TOML: Exceeds the limit"),
        ("a = " + "[" * 5000, "t.melody.toml: is nested too deeply"),
        ("\n" + ".".join(["a"] * 20_000) + " = 1", "t.melody.toml:2: is nested too deeply: a name has more than 32 parts"),
        ("#" * (MAX_BYTES + 1), f"t.melody.toml: has {MAX_BYTES + 1} bytes; a melody has {MAX_BYTES} at most"),
        ("\ufeffmelody = 1", "t.melody.toml:1: is not TOML: "),
        ("melody = 1\x00", "t.melody.toml:1: is not TOML: "),
    ],
    ids=["value", "open string", "twice", "digits", "brackets", "dots", "size", "mark", "null"],
)
def test_what_is_not_toml_is_one_problem_with_its_line(text, problem):
    (found,) = problems_of(text)

    assert found.startswith(problem)


def test_arguments_nested_too_deeply_are_refused():
    text = HEAD + '[extensions.x]\npath = "x"\n[[steps]]\nid = "a"\ndoes = "extension.invoke"\nextension = "x"\noperation = "f"\n'

    assert "is nested more than 32 deep" in problems_of(text + "with = { a = " + "[" * 40 + "]" * 40 + " }\n")[0]


def test_a_thousand_wrong_references_are_answered():
    steps = "".join(
        f'[[steps]]\nid = "s{n}"\ndoes = "text.save"\nwith = {{ buffer = "${{steps.t{n}.b}}" }}\n' for n in range(1000)
    )

    assert len(problems_of(HEAD + steps)) == 1000


VALUES = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "any", "text.open", "${inputs.a}", "${steps.a.text}", "${x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
TABLES = st.dictionaries(
    st.sampled_from(["id", "does", "after", "with", "extension", "operation", "retries", "timeout_s", "if", "type", "path"]),
    VALUES,
)
DOCUMENTS = st.fixed_dictionaries(
    {"melody": st.just(1)},
    optional={
        "name": VALUES,
        "summary": VALUES,
        "inputs": VALUES | st.dictionaries(st.sampled_from("ab"), TABLES),
        "extensions": VALUES | st.dictionaries(st.sampled_from("ab"), TABLES),
        "steps": VALUES | st.lists(TABLES, max_size=3),
        "other": VALUES,
    },
)


def written(value):
    """Write a value as TOML, which is JSON but for its tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {written(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return json.dumps(value)


@given(document=DOCUMENTS)
def test_any_toml_is_read_or_refused_with_problems(document):
    """No other error may leave the reader, whatever a file holds."""
    text = "".join(f"{key} = {written(value)}\n" for key, value in document.items())
    try:
        flow = read(text)
    except InvalidRequestError as error:
        problems = error.problems
    else:
        problems = ["none"]
        tracker = DagTracker()
        tracker.handle(StartRun("r", flow, {given.name: "x" for given in flow.inputs}), 0.0)
        tracker.check_invariants()
    assert problems
    assert len(set(problems)) == len(problems)


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused_with_problems(text):
    with pytest.raises(InvalidRequestError):
        read(text)
