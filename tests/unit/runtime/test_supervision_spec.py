"""A wrong spec cannot be built, and its error names every field, value and rule."""

import re

import pytest

from actors.runtime import Actor, Backoff, ChildSpec, RestartLimit, SupervisorSpec
from actors.runtime.errors import SpecError
from actors.runtime.supervision.spec import decode_spec, encode_spec, has_process, import_path_of
from tests.support.actors_for_tests import Counter

COUNTER = "tests.support.actors_for_tests:Counter"


def child(id_="c", actor=COUNTER, **fields):
    return ChildSpec(id_, actor, **fields)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": "a b"}, "id: 'a b': letters, digits, `.`, `_` and `-`"),
        ({"id": ""}, "id: ''"),
        ({"id": "a/b"}, "id: 'a/b'"),
        ({"id": 5}, "id: 5"),
        ({"id": None}, "id: None"),
        ({"actor": "Counter"}, "actor: 'Counter': a class, or `package.module:Class`"),
        ({"actor": "a.b:"}, "actor: 'a.b:'"),
        ({"actor": ":C"}, "actor: ':C'"),
        ({"actor": 5}, "actor: 5"),
        ({"actor": int}, "actor: <class 'int'>: a subclass of actors.runtime.Actor"),
        ({"args": 5}, "args: 5: a list or tuple"),
        ({"args": "abc"}, "args: 'abc': a list or tuple"),
        ({"args": (object(),)}, "args: "),
        ({"needs": "link"}, "needs: 'link': a list or tuple"),
        ({"needs": (5,)}, "needs: (5,): names"),
        ({"kwargs": [1]}, "kwargs: [1]: a dict with text keys"),
        ({"kwargs": {1: 2}}, "kwargs: {1: 2}: a dict with text keys"),
        ({"kwargs": {"k": {1}, "f": len}}, "kwargs: "),
        ({"restart": "always"}, "restart: 'always': permanent, transient or temporary"),
        ({"dispatcher": "threads"}, "dispatcher: 'threads': shared, pinned or async"),
        ({"shutdown": -1}, "shutdown: -1: seconds, "),
        ({"shutdown": "soon"}, "shutdown: 'soon': seconds, "),
        ({"shutdown": True}, "shutdown: True: seconds, "),
        ({"shutdown": float("nan")}, "shutdown: nan: seconds, "),
        ({"shutdown": float("inf")}, 'shutdown: inf: seconds, "kill" or "infinity"'),
        ({"start_timeout": 0}, "start_timeout: 0: seconds, more than 0"),
        ({"start_timeout": float("inf")}, "start_timeout: inf"),
        ({"start_timeout": None}, "start_timeout: None"),
        ({"backoff": 3}, "backoff: 3: a Backoff"),
        ({"backoff": Backoff(min=-1)}, "backoff.min: -1"),
        ({"backoff": Backoff(min=2, max=1)}, "backoff.min: 2: seconds, 0 to `max`"),
        ({"backoff": Backoff(max=float("inf"))}, "backoff.max: inf"),
        ({"backoff": Backoff(min="x")}, "backoff.min: 'x'"),
        ({"backoff": Backoff(factor=0.5)}, "backoff.factor: 0.5: 1 or more"),
        ({"backoff": Backoff(factor=None)}, "backoff.factor: None"),
        ({"backoff": Backoff(jitter=1.5)}, "backoff.jitter: 1.5: a share, 0 to 1"),
        ({"backoff": Backoff(healthy_after=-1)}, "backoff.healthy_after: -1: seconds, 0 or more"),
        ({"setup": "parts"}, "setup: 'parts': `package.module:function`"),
        ({"setup": "a.b:c"}, "setup: 'a.b:c': only a node"),
        ({"setup_args": {"k": object()}}, "setup_args: "),
        ({"process": True, "actor": "__main__:C"}, "actor: '__main__:C': other processes do not import `__main__`"),
        ({"process": "yes"}, "process: 'yes': True or False"),
    ],
    ids=repr,
)
def test_a_child_spec_that_breaks_a_rule_is_refused(fields, problem):
    with pytest.raises(SpecError) as raised:
        ChildSpec(**{"id": "c", "actor": COUNTER, **fields})

    assert any(re.match(r"child .*: " + re.escape(problem), found) for found in raised.value.problems), raised.value.problems


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": "a b"}, "id: 'a b'"),
        ({"id": None}, "id: None"),
        ({"intensity": -1}, "intensity: -1: a whole number, 0 or more"),
        ({"intensity": 1.5}, "intensity: 1.5"),
        ({"intensity": True}, "intensity: True"),
        ({"period": 0}, "period: 0: seconds, more than 0"),
        ({"period": float("nan")}, "period: nan"),
        ({"restart": "never"}, "restart: 'never'"),
        ({"on_exhausted": "explode"}, "on_exhausted: 'explode': escalate or park"),
        ({"strategy": "all_for_one"}, "strategy: 'all_for_one': one_for_one"),
        ({"children": None}, "children: None: a list or tuple of specs"),
        ({"children": child()}, "children: "),
        ({"children": ["x"]}, "children[0]: 'x': a ChildSpec or a SupervisorSpec"),
        ({"children": [child("a"), child("b"), child("a")]}, "children[2].id: 'a': used once among its siblings"),
        ({"process": True, "children": [child(process=True)]}, "children[0].process: True: a node inside a node"),
        (
            {"process": True, "children": [SupervisorSpec("s", [child(process=True)])]},
            "children[0].process: True: a node inside a node",
        ),
        ({"setup": "a.b:c"}, "setup: 'a.b:c': only a node"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_supervisor_spec_that_breaks_a_rule_is_refused(fields, problem):
    with pytest.raises(SpecError) as raised:
        SupervisorSpec(**{"id": "s", **fields})

    assert any(re.match(r"supervisor .*: " + re.escape(problem), found) for found in raised.value.problems), raised.value.problems


def test_every_problem_is_listed_at_once():
    with pytest.raises(SpecError) as raised:
        child("a b", "nowhere", restart="x", shutdown=-1, start_timeout=0, backoff=Backoff(min=9, max=1, factor=0, jitter=2))

    fields = [problem.split(": ")[1] for problem in raised.value.problems]
    assert fields == [
        "id",
        "actor",
        "restart",
        "shutdown",
        "start_timeout",
        "backoff.min",
        "backoff.factor",
        "backoff.jitter",
    ]
    assert str(raised.value) == "; ".join(raised.value.problems)


def test_arguments_that_are_nested_beyond_reason_are_refused_like_any_other():
    nested = []
    for _ in range(100_000):
        nested = [nested]

    with pytest.raises(SpecError, match="args: "):
        child(args=(nested,))

    while nested:  # by hand: the interpreter's own way of freeing it may be as deep
        nested = nested.pop()


@pytest.mark.parametrize("children", [(), ("a", "b")])
def test_a_dynamic_supervisor_has_one_template(children):
    with pytest.raises(SpecError, match=r"children: .*: one, the template"):
        SupervisorSpec("s", [ChildSpec(id_, COUNTER) for id_ in children], strategy="dynamic")


def test_a_permanent_child_cannot_be_significant():
    with pytest.raises(SpecError, match="significant: True: only a transient or temporary child"):
        child(significant=True)


def test_a_layer_is_of_neighbours():
    with pytest.raises(SpecError, match="layer: 1: the same for neighbours only"):
        SupervisorSpec("s", [child("a", layer=1), child("b"), child("c", layer=1)])


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        (RestartLimit(-1, 5.0), "limit.intensity"),
        (RestartLimit(1, 0), "limit.period"),
        (RestartLimit(1, 1.0, "rest"), "limit.then"),
    ],
)
def test_a_limit_of_its_own_is_checked_field_by_field(limit, field):
    with pytest.raises(SpecError, match=field):
        child(limit=limit)


def test_a_class_stands_for_its_import_path():
    assert child(actor=Counter).actor == COUNTER == import_path_of(Counter)


def test_a_class_inside_a_function_runs_here_and_not_in_a_node():
    class Local(Actor):
        pass

    assert "<locals>" in child(actor=Local).actor
    with pytest.raises(SpecError, match="a class inside a function cannot be imported"):
        child(actor=Local, process=True)


def test_a_spec_survives_the_way_to_another_process():
    spec = SupervisorSpec(
        "s",
        [
            child("a", args=[1, "x"], kwargs={"k": [None, 2.5]}, restart="transient", shutdown="kill", backoff=Backoff(min=0)),
            SupervisorSpec("t", [child(needs=["link"])], intensity=9, shutdown=3.0),
        ],
        process=True,
        setup="a.b:c",
        setup_args={"x": 1},
    )

    assert decode_spec(encode_spec(spec)) == spec


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", encode_spec(child())[:-1], b"\x91" * 100_000])
def test_bytes_that_are_no_spec_are_refused(data):
    with pytest.raises(SpecError, match="no spec"):
        decode_spec(data)


def test_a_spec_from_elsewhere_is_checked_like_one_from_here():
    data = encode_spec(child()).replace(b"permanent", b"permanant")

    with pytest.raises(SpecError):
        decode_spec(data)


def test_a_node_is_seen_at_any_depth():
    assert has_process(SupervisorSpec("s", [SupervisorSpec("t", [child(process=True)])]))
    assert not has_process(SupervisorSpec("s", [SupervisorSpec("t", [child()])]))
