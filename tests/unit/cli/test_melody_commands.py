"""Melodies from the command line: nothing is sent that is not right, and a run is followed over restarts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.control import words
from symphony.cli.melody.melody_file import read_inputs
from symphony.domain.errors import InvalidRequestError
from symphony.domain.workflow import Input, Workflow
from tests.unit.cli.fake_kernel import FakeKernel, answering

MELODY = """
melody = 1
name = "sample"
[inputs.file]
type = "path"
[inputs.count]
type = "integer"
[[steps]]
id = "open"
does = "text.open"
with = { path = "${inputs.file}" }
[[steps]]
id = "keep"
does = "artifact.put"
with = { text = "${steps.open.text}", media_type = "text/plain" }
"""
ARTIFACT = "sha256:" + "0" * 64


@pytest.fixture
def melody(tmp_path):
    file = tmp_path / "sample.melody.toml"
    file.write_text(MELODY)
    (tmp_path / "text").write_text("x")
    return file


def a_run(message, state, *steps):
    return {
        "id": message["run"],
        "workflow": {"name": "sample", "summary": "", "inputs": [], "steps": [], "extensions": {}},
        "inputs": {},
        "state": state,
        "steps": [{"id": name, "state": step, **more} for name, step, more in steps],
        "started_at": 1.0,
    }


class Engine:
    """Answers the nth question about a run by the nth of `stages`; one that is a refusal is sent as it is."""

    def __init__(self, *stages):
        self._stages = list(stages)
        self.asked = []
        self.message = {}

    def __call__(self, message):
        self.asked.append(message["type"])
        self.message = message if message["type"] == "RunMelody" else self.message
        stage = self._stages.pop(0) if len(self._stages) > 1 else self._stages[0]
        return stage if isinstance(stage, words.Refused) else a_run(message, *stage)


DONE = ("done", ("open", "done", {"attempts": 1}), ("keep", "done", {"attempts": 1, "outputs": {"artifact": ARTIFACT}}))
STARTED = ("running", ("open", "running", {"attempts": 1}), ("keep", "waiting", {}))
HALF = ("running", ("open", "done", {"attempts": 1}), ("keep", "running", {"attempts": 1}))


def play(run_dir, symphony, melody, engine, *more):
    with FakeKernel(run_dir, answering(core=engine)):
        return symphony("melody", "run", melody, "--input", f"file={melody.parent / 'text'}", "--input", "count=3", *more)


def test_a_run_is_submitted_followed_and_answered_by_its_artifact(run_dir, symphony, melody):
    engine = Engine(STARTED, HALF, HALF, DONE)
    done = play(run_dir, symphony, melody, engine)

    assert done == (0, f"{ARTIFACT}\n", "✓ open\n✓ keep\n")
    assert engine.asked == ["RunMelody", "GetRun", "GetRun", "GetRun"]
    assert engine.message["inputs"] == {"file": str(melody.parent / "text"), "count": 3}


def test_paths_start_at_the_current_folder(run_dir, symphony, melody, monkeypatch):
    monkeypatch.chdir(melody.parent)
    engine = Engine(DONE)
    with FakeKernel(run_dir, answering(core=engine)):
        symphony("melody", "run", "sample.melody.toml", "--input", "file=text", "--input", "count=1", "--run", "mine")

    assert engine.message["inputs"]["file"] == str(melody.parent / "text")
    assert engine.message["run"] == "mine"


def test_as_json_it_is_the_run(run_dir, symphony, melody):
    document = json.loads(play(run_dir, symphony, melody, Engine(DONE), "--json").out)

    assert (document["schema"], document["state"], len(document["steps"])) == ("symphony.run/1", "done", 2)


@pytest.mark.parametrize(
    "refused",
    [
        words.Refused("NodeUnavailableError", "/engine is restarting"),
        words.Refused("TerminatedError", "/engine/core ended"),
        words.Refused("NoSuchActorError", "nobody lives at /engine/core"),
        words.Refused("AskTimeoutError", "no answer in time"),
        words.Refused("UnavailableError", "the Pit is away", declared=True),
        words.Refused("NotFoundError", "there is no run", declared=True),
    ],
    ids=lambda refused: refused.kind,
)
def test_a_restart_of_the_engine_is_ridden_over_by_submitting_again(run_dir, symphony, melody, refused):
    engine = Engine(STARTED, refused, HALF, DONE)
    done = play(run_dir, symphony, melody, engine)

    assert (done.code, done.out) == (0, f"{ARTIFACT}\n")
    assert engine.asked == ["RunMelody", "GetRun", "RunMelody", "GetRun"]


def test_a_kernel_that_dies_in_the_middle_is_ridden_over(run_dir, symphony, melody):
    engine = Engine(STARTED, DONE)
    dying = [False, True, False, False]

    def answer(question):
        return None if dying.pop(0) else answering(core=engine)(question)

    with FakeKernel(run_dir, answer):
        done = symphony("melody", "run", melody, "--input", f"file={melody}", "--input", "count=3")

    assert done.code == 0
    assert engine.asked == ["RunMelody", "RunMelody"]


def test_a_retried_step_is_said_with_its_error(run_dir, symphony, melody):
    retried = ("running", ("open", "ready", {"attempts": 1, "error": "UnavailableError: away"}), ("keep", "waiting", {}))
    done = play(run_dir, symphony, melody, Engine(STARTED, retried, DONE))

    assert done.err == "↻ open: UnavailableError: away\n✓ open\n✓ keep\n"


def test_a_run_that_failed_is_exit_1_with_the_steps_error(run_dir, symphony, melody):
    failed = ("failed", ("open", "failed", {"attempts": 4, "error": "InvalidRequestError: not\nUTF-8"}), ("keep", "waiting", {}))
    done = play(run_dir, symphony, melody, Engine(STARTED, failed), "--run", "r1")

    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines() == [
        r"✗ open (attempt 4): InvalidRequestError: not\nUTF-8",
        r"symphony: run r1 failed: step open: InvalidRequestError: not\nUTF-8",
    ]


def test_a_run_that_does_not_end_in_time_is_exit_7_and_goes_on(run_dir, symphony, melody):
    done = play(run_dir, symphony, melody, Engine(STARTED), "--timeout", "0.2", "--run", "r1")

    assert done.code == 7
    assert "symphony melody status r1" in done.err


def test_detached_it_returns_when_the_run_is_accepted(run_dir, symphony, melody):
    engine = Engine(STARTED)
    done = play(run_dir, symphony, melody, engine, "--detach", "--run", "r1")

    assert done == (0, "r1\n", "")
    assert engine.asked == ["RunMelody"]


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ([], "--input file: is missing"),
        (["file"], "--input 'file': write it as NAME=VALUE"),
        (["fil=x"], '--input fil: sample has no such input; did you mean "file"?'),
        (["file=/no/such/file"], "--input file: /no/such/file: no such file or directory"),
        (["count=many"], "--input count: 'many' must be an integer"),
        (["count=99999999999999999999"], "--input count: does not fit into 64 bits"),
        (["count=1", "count=2"], "--input count: is given twice"),
    ],
)
def test_with_a_wrong_input_nothing_is_sent(run_dir, symphony, melody, inputs, problem):
    with FakeKernel(run_dir, answering()) as kernel:
        done = symphony("melody", "run", melody, *(part for text in inputs for part in ("--input", text)))

    assert (done.code, kernel.asked) == (2, [])
    assert f"symphony: {problem}" in done.err


def test_with_a_wrong_melody_nothing_is_sent_and_every_problem_is_said(run_dir, symphony, melody):
    melody.write_text(MELODY.replace("text.open", "text.opne").replace("integer", "intger"))
    with FakeKernel(run_dir, answering()) as kernel:
        done = symphony("melody", "run", melody)

    assert (done.code, kernel.asked) == (2, [])
    assert done.err.count(f"symphony: {melody}:") >= 2


def test_check_is_0_for_a_right_melody_and_1_with_all_problems_for_a_wrong_one(symphony, melody):
    assert symphony("melody", "check", melody).code == 0
    assert json.loads(symphony("melody", "check", melody, "--json").out)["schema"] == "symphony.melody/1"

    melody.write_text(MELODY.replace("text.open", "text.opne"))
    done = symphony("melody", "check", melody)
    assert done.code == 1
    assert f"{melody}:10: steps[0].does" in done.err


@pytest.mark.parametrize("command", [["check"], ["run"]])
def test_a_melody_that_cannot_be_read_is_said_to_be_so(symphony, tmp_path, command):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    assert symphony("melody", *command, tmp_path / "none").code == 4
    assert "is a folder" in symphony("melody", *command, tmp_path).err
    assert "byte 0 is 0xff" in symphony("melody", *command, tmp_path / "binary").err


def test_status_and_list_say_how_far_runs_are(run_dir, symphony):
    def core(message):
        run = a_run({"run": "r1"}, *HALF)
        return {"runs": [run]} if message["type"] == "ListRuns" else run

    with FakeKernel(run_dir, answering(core=core)):
        status = symphony("melody", "status", "r1")
        listed = symphony("melody", "list")
        document = json.loads(symphony("melody", "list", "--json").out)

    assert status.out.splitlines() == ["r1  running  sample  1 of 2 steps", "  ✓ open  done", "  ◌ keep  running"]
    assert listed.out == "r1  running  sample  1 of 2 steps\n"
    assert [run["id"] for run in document["runs"]] == ["r1"]


TYPES = ["text", "integer", "number", "boolean", "any", "artifact", "buffer", "path"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", ""]), st.text(max_size=8)), max_size=5), st.sampled_from(TYPES))
def test_inputs_are_all_read_or_refused_with_each_problem(given_inputs, type_):
    workflow = Workflow("w", "", (Input("a", type_), Input("b", "text")), ())
    try:
        values = read_inputs(workflow, [f"{name}={value}" for name, value in given_inputs])
    except InvalidRequestError as error:
        problems = error.problems
    else:
        problems = []
        assert set(values) == {"a", "b"}
    assert all(problem.startswith("--input ") for problem in problems)


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("text", "a=b", "a=b"),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("any", '{"a": [1]}', {"a": [1]}),
        ("any", "plain", "plain"),
        ("integer", "-3", -3),
    ],
)
def test_an_input_is_read_by_its_type(type_, text, value):
    assert read_inputs(Workflow("w", "", (Input("a", type_),), ()), [f"a={text}"]) == {"a": value}


@pytest.mark.parametrize(("type_", "text"), [("number", "nan"), ("boolean", "yes"), ("path", ""), ("integer", "1.5")])
def test_an_input_that_is_not_of_its_type_is_refused(type_, text):
    with pytest.raises(InvalidRequestError):
        read_inputs(Workflow("w", "", (Input("a", type_),), ()), [f"a={text}"])
