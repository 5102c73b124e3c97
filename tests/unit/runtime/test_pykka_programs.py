"""A program that was written for Pykka gives the same results here, by a change of its base class."""

import pytest

from tests.support.pykka_programs import programs
from tests.support.pykka_programs.runtimes import HERE, PYKKA

RESULTS = {
    programs.letter_box: [[{"no": "Norway"}, ("a", 1)], [{"no": "Norway"}, ("a", 1), "third"], None, True],
    programs.counting_together: (5, 50, True),
    programs.producer_and_consumer: (sum(range(40)), list(range(40))),
    programs.lookup_pool: [(f"10.0.0.{number}", None if number % 2 else f"host{number}") for number in range(20)],
    programs.typed_proxy: (3.0, 12.0, None),
    programs.work_in_steps: (True, ["step 3", "between", "step 2", "step 1"]),
    programs.inside_of_an_actor: (2, ["ONE", "TWO", "THREE"], True),
    programs.orderly_life: (
        ["on_start", "a", "b", "c", "on_stop", "dead", "on_start", "quit", "behind", "it", "on_stop"],
        [True, False, False, False, True],
        False,
        True,
        True,
    ),
    programs.errors_in_asks: (["LookupError('x')", "LookupError('y')", "ZeroDivisionError('division by zero')"], 2, True),
    programs.errors_in_tells: [(ValueError, "broken", True), "dead"],
    programs.actors_that_start_actors: (3, False, True, 2),
    programs.futures_combined: [5, [1, 3], 110, [2, 10, 10], 16, "10", [10, 8], "timeout", "'missing'", "by hand"],
    programs.awaited: (3, "m"),
}


@pytest.mark.parametrize("runtime", [PYKKA, HERE], ids=lambda runtime: runtime.name)
@pytest.mark.parametrize("program", RESULTS, ids=lambda program: program.__name__)
def test_a_program_gives_the_same_results_on_both(program, runtime):
    with runtime.block():
        assert program(runtime) == RESULTS[program]
