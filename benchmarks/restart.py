"""How quickly and how cleanly a tree heals: from deaths, hangs, the loss of its kernel, storms and thousands of restarts.

Each part is a module of its own, restart_*.py, which states its method. `rounds` is how often the engine is killed (500 if not
given); all else follows from it: a fifth as many kills with a warm spare and of a node that has forked, a hundredth as many
hangs of each kind and deaths of the kernel, two storms of 60 s for 500 rounds, and four times as many restarts of processes as
rounds (2,000 for 500; `--rounds 2500` has 10,000) and twenty times as many restarts of an actor (10,000 for 500). The default
takes six minutes or so.

A part that cannot be measured says why, and the others are measured all the same.
"""

import os
from collections.abc import Callable

from actors.runtime.errors import ActorRuntimeError

from .report import Bar, NotMeasuredError, Report
from .restart_hangs import hangs
from .restart_kernel import kernel_deaths
from .restart_kills import kills, kills_of_a_parent, kills_with_a_spare
from .restart_leaks import actor_restarts, process_restarts
from .restart_part import Part, settle
from .restart_storm import limited_storm, storm

DEFAULT_ROUNDS = 500
STORM_S = 60.0


def measure(rounds: int) -> Report:
    """Measure every part, one after the other."""
    few = max(1, rounds // 100)
    some = max(2, rounds // 5)
    seconds = max(3.0, STORM_S * rounds / DEFAULT_ROUNDS)
    parts: list[tuple[str, Callable[[], Part]]] = [
        ("kills", lambda: kills(rounds)),
        ("kills with a warm spare", lambda: kills_with_a_spare(some)),
        ("kills of a node that had forked", lambda: kills_of_a_parent(some)),
        ("hangs", lambda: hangs(few)),
        ("deaths of the kernel", lambda: kernel_deaths(few)),
        ("storm of actors", lambda: storm("storm_of_actors", seconds)),
        ("storm of processes", lambda: storm("storm_of_processes", seconds)),
        ("storm with a limit", limited_storm),
        ("restarts of processes", lambda: process_restarts(4 * rounds)),
        ("restarts of actors", lambda: actor_restarts(20 * rounds)),
    ]
    before = os.getloadavg()[0]
    measured = [_measured(name, part) for name, part in parts]
    load = f"load average on {os.cpu_count()} cores: {before:.1f} before, {os.getloadavg()[0]:.1f} after (what else runs counts)"
    return Report(
        "restart",
        rounds,
        tuple(row for part in measured for row in part.rows),
        tuple(bar for part in measured for bar in part.bars),
        (load, *(note for part in measured for note in part.notes)),
    )


def _measured(name: str, part: Callable[[], Part]) -> Part:
    settle()
    try:
        return part()
    except (NotMeasuredError, ActorRuntimeError) as error:
        return Part((), (Bar(name, "measured", float("nan"), holds=False, unmeasured=str(error)),))
