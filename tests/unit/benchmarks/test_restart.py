"""The restart benchmark's frame: every tree can be built, and a part that cannot be measured takes no other with it."""

import pytest

from actors.runtime.errors import NodeUnavailableError
from actors.runtime.supervision.spec import SupervisorSpec, decode_spec
from benchmarks import restart
from benchmarks.report import NOT_MEASURED, NotMeasuredError, at_most
from benchmarks.restart_part import Part, equal_to, wait_until
from benchmarks.restart_trees import TREES, plan_of


@pytest.mark.parametrize("name", [*TREES, "symphony", "symphony_spare"])
def test_every_tree_is_a_plan_that_a_kernel_can_run(name):
    assert isinstance(decode_spec(plan_of(name, "/run/x").spec), SupervisorSpec)


@pytest.mark.parametrize("error", [NotMeasuredError("no such luck"), NodeUnavailableError("no such luck")])
def test_a_part_that_cannot_be_measured_says_why_and_leaves_the_others_theirs(monkeypatch, error):
    measured = Part((), (at_most("a", 1, "ms", 0.5),))

    def cannot(*_):
        raise error

    for name in ("kills", "kills_with_a_spare", "kills_of_a_parent", "kernel_deaths", "storm", "limited_storm"):
        monkeypatch.setattr(restart, name, lambda *_: measured)
    for name in ("process_restarts", "actor_restarts", "hangs"):
        monkeypatch.setattr(restart, name, cannot)

    report = restart.measure(500)

    assert report.exit_code == NOT_MEASURED
    assert [bar.unmeasured for bar in report.bars if bar.unmeasured] == ["no such luck"] * 3
    assert sum(bar.holds for bar in report.bars) == 7


def test_an_exact_bar_holds_at_its_figure_alone():
    assert [equal_to("limit", 51, "", figure).holds for figure in (50, 51, 52)] == [False, True, False]


def test_waiting_in_vain_is_not_measured():
    with pytest.raises(NotMeasuredError, match=r"it never came within 0\.01 s"):
        wait_until(lambda: False, "it never came", within_s=0.01)
