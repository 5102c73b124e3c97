"""The ledger holds a run against what is promised, and a run that did too little against its floor."""

from actors.runtime.chaos.ledger import Asks, Entry, floors_of, problems_of, problems_of_asks, rows_of, spread_of
from actors.runtime.chaos.plan import PlannedFault

PLAN = tuple(PlannedFault(number, float(number), "kill" if number % 2 else "raise", ("/a",)) for number in range(1, 9))


def healed(number, *, healed_ms=100.0, restart_ms=90.0, **more):
    kind = "kill" if number % 2 else "raise"
    return Entry(number, kind, ("/a",), float(number), 5.0, healed_ms, restart_ms, **more)


ALL_WELL = tuple(healed(planned.number) for planned in PLAN)


def test_a_run_in_which_all_healed_has_no_problem():
    assert problems_of(PLAN, ALL_WELL, was_cut_short=False) == ()


def test_half_of_the_planned_faults_of_each_kind_is_the_floor_and_never_none():
    assert floors_of(PLAN) == {"kill": 2, "raise": 2}
    assert floors_of(PLAN[:1]) == {"kill": 1}


def test_a_run_that_injected_too_few_of_a_kind_fails():
    only_kills = tuple(entry for entry in ALL_WELL if entry.kind == "kill")

    assert problems_of(PLAN, only_kills, was_cut_short=False) == ("raise: 0 injected, and 2 is the floor",)


def test_a_run_that_was_cut_short_is_not_held_against_its_floors_but_must_have_hit_something():
    assert problems_of(PLAN, ALL_WELL[:1], was_cut_short=True) == ()
    assert problems_of(PLAN, (), was_cut_short=True) == ("no fault was injected at all: such a run shows nothing",)


def test_a_fault_that_could_not_be_injected_is_a_problem_and_does_not_count_for_the_floor():
    failed = tuple(Entry(entry.number, entry.kind, ("/a",), 0.0, problem="gone", happened=False) for entry in ALL_WELL)
    problems = problems_of(PLAN, failed, was_cut_short=False)

    assert "fault 1, kill of /a: gone" in problems
    assert "kill: 0 injected, and 2 is the floor" in problems
    assert rows_of(PLAN, failed)[0].healed == 0


def test_slow_healing_and_slow_restarts_are_problems():
    slow = (*ALL_WELL[:-1], healed(8, healed_ms=5001.0, restart_ms=2000.0))
    slow_median = tuple(healed(number, restart_ms=300.0) for number in range(1, 9))

    assert problems_of(PLAN, slow, was_cut_short=False) == (
        "fault 8, raise of /a: healed after 5001 ms, and 5000 is the most",
        "99 % of the restarts took up to 2000 ms, and must take less than 2000",
    )
    assert problems_of(PLAN, slow_median, was_cut_short=False) == ("the median restart took 300 ms, and must take less than 300",)


def test_the_restart_of_a_kernel_is_held_against_the_five_seconds_only():
    plan = (PlannedFault(1, 0.0, "kernel"),)

    assert problems_of(plan, (Entry(1, "kernel", (), 0.0, 900.0, 2500.0, 1600.0),), was_cut_short=False) == ()


def test_asks_that_never_ended_and_asks_of_which_none_was_answered_are_problems():
    assert problems_of_asks(Asks(sent=10, answered=9, refused=1)) == ()
    assert problems_of_asks(Asks(sent=10, answered=9, unresolved=1)) == ("1 of 10 asks did not end within their time",)
    assert problems_of_asks(Asks(sent=10, refused=10)) == ("none of 10 asks was answered",)


def test_the_spread_of_nothing_has_no_figures():
    assert spread_of([None, None]).p50 is None
    assert (spread_of([1.0, 2.0, 3.0]).p50, spread_of([1.0, 2.0, 3.0]).max) == (2.0, 3.0)
