"""That each measurement measures and ends what it began; the figures themselves are for `make bench`."""

import os

import pytest

from benchmarks import inprocess
from benchmarks.fresh_process import FreshProcess
from benchmarks.idle_actors import idle_cost
from benchmarks.inprocess import ANCHOR, CONTESTS, PROMISES, SHARED, Contest, one_round, rows_of, unsteady_anchors
from benchmarks.peers import pykka_actors, symphony_actors
from benchmarks.report import NotMeasuredError
from benchmarks.workload import Figure


def boom():
    raise LookupError("no such peer")


@pytest.mark.parametrize("kind", ["shared", "pinned"])
def test_tells_are_measured(kind):
    assert symphony_actors.tell(kind, 100).value > 0


@pytest.mark.parametrize("kind", ["shared", "pinned", "inline"])
def test_asks_are_measured(kind):
    figure = symphony_actors.ask(kind, 20)

    assert figure.p99 >= figure.value > 0


@pytest.mark.parametrize("system", [pykka_actors, symphony_actors])
def test_every_other_metric_is_measured(system):
    assert system.actor_ask(20).value > 0
    assert system.ring(10, 2).value > 0
    assert system.spawn(10).value > 0


def test_the_anchors_tells_and_asks_are_measured():
    assert pykka_actors.tell(100).value > 0
    assert pykka_actors.ask(20).value > 0


def test_idle_actors_cost_memory_and_time():
    cost = idle_cost(2_000)

    assert cost.bytes_each > 0
    assert cost.spawned_s > 0
    assert cost.trouble is None


def test_a_round_measures_by_turns_and_gives_the_median():
    order = []
    figures = iter([1.0, 9.0, 4.0])

    def entrant(name, figure):
        order.append(name)
        return Figure(figure())

    contest = Contest("tell", "msg/s", 3, {"a": lambda: entrant("a", lambda: next(figures)), "b": lambda: entrant("b", float)})

    assert one_round(contest, 0)["a"].value == 4.0
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_system_that_raises_gave_no_figure():
    with pytest.raises(NotMeasuredError, match="tell of broken: LookupError: no such peer"):
        one_round(Contest("tell", "msg/s", 1, {"broken": boom}), 0)


def test_every_promise_is_about_an_entrant_of_a_contest_with_the_anchor():
    entrants = {(contest.metric, system) for contest in CONTESTS for system in contest.entrants}

    assert PROMISES.keys() <= entrants
    assert {(contest.metric, ANCHOR) for contest in CONTESTS} <= entrants


def test_a_rows_ratio_is_the_median_of_its_rounds():
    figures = {(contest.metric, ANCHOR): [Figure(100.0), Figure(100.0), Figure(10.0)] for contest in CONTESTS}
    figures["tell", SHARED] = [Figure(600.0), Figure(700.0), Figure(100.0)]

    rows = {(row.metric, row.system): row for row in rows_of(figures)}

    assert rows["tell", SHARED].ratio == 7
    assert rows["tell", ANCHOR].ratio is None


def test_the_report_names_the_anchor_that_was_unsteady():
    figures = {(contest.metric, ANCHOR): [Figure(1.0)] * 4 for contest in CONTESTS}
    figures["ask", ANCHOR] = [Figure(value) for value in (20.0, 20.0, 60.0, 60.0)]

    assert unsteady_anchors(figures) == ["pykka was unsteady in 'ask': spread 100%"]


def test_a_fresh_process_is_another_process():
    with FreshProcess(30.0) as process:
        assert process.call(os.getpid) != os.getpid()


def test_what_a_fresh_process_raises_is_told():
    with FreshProcess(30.0) as process, pytest.raises(NotMeasuredError, match="ValueError: invalid literal"):
        process.call(int, "x")


def test_a_fresh_process_that_dies_is_told():
    with FreshProcess(30.0) as process, pytest.raises(NotMeasuredError, match="died"):
        process.call(os._exit, 3)


def test_a_fresh_process_that_does_not_answer_is_ended():
    with FreshProcess(0.5) as process, pytest.raises(NotMeasuredError, match=r"within 0\.5 s"):
        process.call(input_that_never_comes)


def input_that_never_comes():
    os.read(os.pipe()[0], 1)


def test_a_peer_that_is_not_installed_is_named_with_where_to_get_it():
    notes = []

    assert not inprocess._is_installed("no_such_peer", notes)
    assert notes == ["no_such_peer is not installed, so not measured: it is in the dependency group `bench`"]
