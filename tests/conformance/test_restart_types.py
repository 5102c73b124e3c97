"""Which child is restarted after which end: groups normal_termination, shutdown_termination and abnormal_termination."""

import pytest

from tests.conformance.conftest import ENDINGS

ORDINARY = ("normal", "shutdown")
TABLE = [
    (backend, restart, how)
    for backend, endings in ENDINGS.items()
    for restart in ("permanent", "transient", "temporary")
    for how in endings
]


@pytest.mark.parametrize(("backend", "restart", "how"), TABLE, indirect=["backend"])
def test_termination(backend, restart, how):
    """{permanent,transient,temporary}_{normal,shutdown,abnormal}.

    A permanent child always comes back, a transient one after a failure, a temporary one never, and it is forgotten.
    """
    supervised = backend.start(backend.child("a", restart=restart), backend.child("bystander"))

    supervised.end("a", how)

    reason = supervised.has_ended("a").fields["reason"]
    if restart == "permanent" or (restart == "transient" and how not in ORDINARY):
        supervised.is_back("a")
        assert supervised.lives() == {"a": 2, "bystander": 1}
    elif restart == "temporary":
        supervised.events.expect("actor.removed", "/a")
        assert supervised.lives() == {"bystander": 1}
    else:
        supervised.handle.add(backend.child("barrier")).get(20)
        assert supervised.lives() == {"a": "stopped", "bystander": 1, "barrier": 1}
    expected = {"normal": ORDINARY, "shutdown": ORDINARY, "killed": ("killed",)}.get(how, ("failed",))
    assert reason in expected


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_temporary_bystander(backend, strategy):
    """A temporary child that ends with its group is forgotten, not restarted."""
    supervised = backend.start(backend.child("a"), backend.child("t", restart="temporary"), strategy=strategy)

    supervised.end("a")

    supervised.events.expect("actor.removed", "/t")
    supervised.is_back("a")
    assert supervised.lives() == {"a": 2}


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_transient_bystander_that_has_finished_is_started_with_its_group(backend, strategy):
    supervised = backend.start(backend.child("a"), backend.child("t", restart="transient"), strategy=strategy)
    supervised.end("t", "shutdown")
    supervised.has_ended("t")

    supervised.end("a")

    supervised.is_back("a", "t")
    assert supervised.lives() == {"a": 2, "t": 2}
