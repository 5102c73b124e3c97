"""Supervisors that end with their significant children: the cases of OTP's `auto_shutdown`."""

import pytest

from actors.runtime import SupervisorSpec
from actors.runtime.errors import SpecError


def below(backend, *children, **fields):
    """Start such a supervisor below another, which shows what has become of it."""
    sup = SupervisorSpec("sup", children, restart="transient", intensity=100, **fields)
    return backend.start(sup, backend.child("other"))


def significant(backend, *names, **fields):
    return [backend.child(name, significant=True, **{"restart": "transient", **fields}) for name in names]


def is_down(supervised):
    supervised.has_ended("sup")
    supervised.handle.start("other").get(20)
    return supervised.lives() == {"sup": "stopped", "other": 1}


@pytest.mark.parametrize("restart", ["transient", "temporary"])
def test_any_significant(backend, restart):
    """It ends in order, and by its parent is not taken for failed. The last one first, as at any stop."""
    supervised = below(backend, backend.child("a"), *significant(backend, "s", restart=restart), auto_shutdown="any_significant")

    supervised.end("sup/s", "shutdown")

    supervised.events.expect("supervisor.shut_down", "/sup", child="/sup/s")
    assert is_down(supervised)
    assert supervised.order()[-3:] == ["-sup/s", "-sup/a", "-sup"]


def test_all_significant(backend):
    supervised = below(backend, *significant(backend, "s", "t"), auto_shutdown="all_significant")

    supervised.end("sup/s", "shutdown")
    supervised.has_ended("sup/s")
    assert supervised.ref("sup/t").ask(["who"])["incarnation"] == 1
    supervised.end("sup/t", "shutdown")

    assert is_down(supervised)


def test_a_significant_child_that_fails_is_restarted_if_it_is_transient(backend):
    supervised = below(backend, *significant(backend, "s"), auto_shutdown="any_significant")

    supervised.end("sup/s")

    supervised.is_back("sup/s")
    assert supervised.lives() == {"sup": 1, "other": 1}


def test_a_significant_child_that_fails_ends_its_supervisor_if_it_is_temporary(backend):
    supervised = below(backend, *significant(backend, "s", restart="temporary"), auto_shutdown="any_significant")

    supervised.end("sup/s")

    assert is_down(supervised)


@pytest.mark.parametrize("auto_shutdown", ["never", "any_significant", "all_significant"])
def test_nonsignificant_children_end_nobody(backend, auto_shutdown):
    children = [*significant(backend, "s"), backend.child("n", restart="temporary")]
    supervised = below(backend, *children, auto_shutdown=auto_shutdown)

    supervised.end("sup/n", "shutdown")

    supervised.events.expect("actor.removed", "/sup/n")
    assert supervised.ref("sup/s").ask(["who"])["incarnation"] == 1


def test_never(backend):
    supervised = below(backend, *significant(backend, "s", restart="temporary"), backend.child("a"))

    supervised.end("sup/s", "shutdown")

    supervised.events.expect("actor.removed", "/sup/s")
    assert supervised.ref("sup/a").ask(["who"])["incarnation"] == 1


@pytest.mark.parametrize("verb", ["stop", "remove"])
def test_significant_child_that_is_stopped_by_order_ends_nobody(backend, verb):
    """Only one that ends by itself does."""
    supervised = backend.start(*significant(backend, "s"), backend.child("a"), auto_shutdown="any_significant")

    getattr(supervised.handle, verb)("s").get(20)

    assert supervised.ref("a").ask(["who"])["incarnation"] == 1
    assert supervised.system.ended.is_resolved() is False


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_significant_bystander(backend, strategy):
    """One that its supervisor has ended for its group has not ended by itself."""
    supervised = below(
        backend, backend.child("a"), *significant(backend, "s"), strategy=strategy, auto_shutdown="any_significant"
    )

    supervised.end("sup/a")

    supervised.is_back("sup/a", "sup/s")
    assert supervised.lives() == {"sup": 1, "other": 1}


def test_significant_simple(backend):
    """Children of a template may be significant too."""
    (like,) = significant(backend, "like", restart="temporary")
    supervised = backend.start(like, strategy="dynamic", auto_shutdown="any_significant")
    for name in "xy":
        supervised.handle.start_like(name).get(20)

    supervised.end("x", "shutdown")

    assert supervised.system.ended.get(20).reason == "shutdown"
    assert supervised.order()[-1] == "-y"


def test_significant_permanent_is_refused(backend):
    with pytest.raises(SpecError, match="significant"):
        backend.child("s", significant=True)


def test_significant_escalation(backend):
    """A supervisor may be significant for its own, and what ends below it goes up."""
    inner = SupervisorSpec(
        "inner", significant(backend, "s"), restart="temporary", significant=True, auto_shutdown="any_significant"
    )
    supervised = below(backend, inner, backend.child("a"), auto_shutdown="any_significant")

    supervised.end("sup/inner/s", "shutdown")

    assert is_down(supervised)
