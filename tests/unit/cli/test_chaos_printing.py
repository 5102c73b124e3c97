"""What a person reads of chaos: who will be hit before it begins, and the ledger at its end."""

from actors.runtime.chaos.ledger import Asks, Entry, rows_of
from actors.runtime.chaos.plan import Pace, PlannedFault
from actors.runtime.chaos.targets import Target
from symphony.cli.chaos_run.footprint import MIB, Footprint, ProcessUse
from symphony.cli.chaos_run.printing import ledger_lines, radius_lines

PLAN = (PlannedFault(1, 0.0, "kill", ("/a",)), PlannedFault(2, 3.0, "raise", ("/a/b",)))
TARGETS = (Target("/a", "/a", ("kill",), (), (), {}), Target("/a/b", "/a", ("raise",), (), (), {}))
BEFORE = Footprint(ProcessUse(1, 40, 40 * MIB), ProcessUse(2, 12, 20 * MIB), processes=7)
ENTRIES = (
    Entry(1, "kill", ("/a",), 0.0, 3.0, 120.4, 117.0, 50.0),
    Entry(2, "raise", ("/a/b",), 3.0, problem="not healed when the run ended"),
)


def test_the_blast_radius_names_nodes_actors_kinds_and_what_is_left_out():
    said = list(radius_lines(PLAN, Pace(3.0, 6.0, 7, ("kill", "raise", "spin")), TARGETS, {"spin": "nothing would notice it"}))

    assert said == [
        "chaos with seed 7: 2 faults in 6 s, one every 3 s",
        "  nodes, each with all that runs in it: /a",
        "  actors in them: /a/b",
        "    1 x kill: SIGKILL",
        "    1 x raise: an exception in a handler",
        "  not spin: nothing would notice it",
    ]


def test_the_ledger_has_a_line_a_fault_a_line_a_kind_and_what_held_throughout():
    asks = Asks(sent=10, answered=8, refused=1, lost_with_kernel=1, worst_ms=12.3)
    said = list(ledger_lines(ENTRIES, rows_of(PLAN, ENTRIES), asks, BEFORE, BEFORE))

    assert said[2].split() == ["1", "0.0", "kill", "/a", "3", "120", "117", "50"]
    assert said[3].endswith("not healed when the run ended")
    assert said[7].split() == ["kill", "1", "1", "1", "1", "120", "120", "120", "117", "117", "117"]
    assert said[8].split() == ["raise", "1", "1", "1", "0"]
    assert "asks: 10 sent, 8 answered, 1 with an error, 1 with the kernel, 0 never; the longest took 12 ms" in said
    assert said[-1] == "left: 0 orphans, 0 zombies, 7 -> 7 processes"


def test_of_a_tree_that_is_gone_nothing_is_counted():
    said = list(ledger_lines(ENTRIES, rows_of(PLAN, ENTRIES), Asks(), BEFORE, None))

    assert not any(line.startswith(("kernel:", "left:")) for line in said)
