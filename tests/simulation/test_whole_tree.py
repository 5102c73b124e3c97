"""Thousands of histories of whole trees: nobody lives twice, orders and limits hold, and every tree heals.

At a desk the seeds are new each time, in CI they are the same. `SYMPHONY_SIMULATION_HISTORIES` says how many histories are run,
`SYMPHONY_SIMULATION_SEED` which seed is the first: with 1 and the seed of a failure, that happens again.
"""

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter

import pytest

from tests.simulation.world import World, failure_of
from tests.support.effort import effort
from tests.support.planted_bugs import PLANTED_BUGS

HISTORIES = effort("SIMULATION_HISTORIES", 1500)
FIRST_SEED = effort("SIMULATION_SEED", 0 if os.environ.get("CI") else random.SystemRandom().randrange(10**9))
TRIES = 4000
A_LONG_HISTORY = 50
DIGEST = "from tests.simulation.test_whole_tree import digest; print(digest())"


def digest():
    """Give one text for what happens in some histories."""
    lines = [line for seed in range(200, 400) for line in World(seed).run().transcript]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_every_tree_keeps_its_rules_and_heals():
    """Once nothing goes wrong any more, whoever should be up is, unless it was given up, visibly, or its root has ended."""
    failures = (failure_of(seed) for seed in range(FIRST_SEED, FIRST_SEED + HISTORIES))
    failure = next((failure for failure in failures if failure is not None), None)

    assert failure is None, failure


def test_a_tree_that_nobody_harms_comes_up_and_ends_in_order():
    worlds = [World(seed, peace=True).run(faults=0) for seed in range(200)]

    assert {world.ended for world in worlds} == {"shutdown"}
    assert not any(world.harm for world in worlds)


def test_the_simulation_does_harm_of_every_kind_and_most_histories_are_long():
    """That nothing is found must not come of nothing having happened."""
    worlds = [World(seed).run() for seed in range(200)]
    harm = sum((world.harm for world in worlds), Counter())
    ends = Counter(world.ended for world in worlds)

    assert sum(world.events >= A_LONG_HISTORY for world in worlds) > 130
    assert min(harm.values()) >= 20, harm
    assert {"start failed", "start hung", "stop hung", "supervisor killed", "crashed: killed", "order"} <= harm.keys()
    assert min(ends[how] for how in ("shutdown", "failed", "start_failed")) >= 5, ends


def test_a_seed_happens_again_to_the_letter():
    assert World(7).run().transcript == World(7).run().transcript
    assert World(7).run().transcript != World(8).run().transcript


def test_a_seed_happens_again_in_another_process_whose_sets_are_in_another_order():
    """Otherwise the seed that a build server prints is of no use at a desk."""
    environ = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", DIGEST], env=environ, capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == digest()


@pytest.mark.parametrize("machine", PLANTED_BUGS, ids=lambda machine: machine.__name__)
def test_the_simulation_catches_a_machine_that(machine):
    """Otherwise that it finds nothing would say nothing."""
    failure = next((failure for seed in range(TRIES) if (failure := failure_of(seed, machine)) is not None), None)

    assert failure is not None
    assert failure.startswith("seed ")
