"""`symphony chaos` against real trees: what it injects heals and is told, and what does not heal makes it fail."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from actors.runtime.chaos.faults import INSIDE
from actors.runtime.control.client import KernelRefusedError
from symphony.cli.chaos_run import carrying_out
from symphony.cli.program import run
from tests.support.wardens import running_warden, wait_until

HEALED_S = 5.0
BOUND_S = 20.0


@pytest.fixture
def run_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("c")


@pytest.fixture
def chaos(run_dir, capfd):
    """Run `symphony chaos` on the tree of `run_dir`; gives the exit code, the document and all that was said."""

    def call(*arguments):
        code = run(["chaos", "--run-dir", str(run_dir), "--json", *arguments])
        said = capfd.readouterr()
        return int(code), json.loads(said.out), f"{said.err}{said.out}"

    return call


@pytest.fixture(scope="module")
def quick():
    """A plan of some seconds: kills of nodes, two rounds of each."""
    return ["--faults", "kill,segfault,batch", "--every", "1.1", "--for", "6.5", "--yes"]


def test_every_kill_heals_and_the_ledger_and_the_exit_code_say_so(run_dir, chaos, quick):
    with running_warden(run_dir, "two_nodes"):
        code, document, _ = chaos(*quick, "--seed", "5")

    assert (code, document["problems"]) == (0, [])
    assert {row["kind"]: row["healed"] for row in document["kinds"]} == {"kill": 2, "segfault": 2, "batch": 2}
    assert all(entry["healed_ms"] < HEALED_S * 1000 for entry in document["entries"])
    assert document["asks"]["unresolved"] == 0
    assert document["asks"]["answered"] > 0


@pytest.mark.parametrize("kind", INSIDE)
def test_a_fault_inside_of_a_node_heals(run_dir, chaos, kind):
    with running_warden(run_dir, "breakable"):
        code, document, said = chaos("--faults", kind, "--every", "3", "--for", "3", "--seed", "1", "--yes")

    assert (code, document.get("problems")) == (0, []), said
    [entry] = document["entries"]
    assert entry["kind"] == kind
    assert list(entry["incarnations"].values()) == [2]


@pytest.mark.parametrize("kind", ["stop", "forkserver"])
def test_a_fault_that_only_the_parent_can_notice_heals(run_dir, chaos, kind):
    with running_warden(run_dir, "breakable"):
        code, document, said = chaos("--faults", kind, "--every", "3", "--for", "3", "--seed", "1", "--yes")

    assert (code, document.get("problems")) == (0, []), said


def test_a_kill_of_the_kernel_heals(run_dir, chaos):
    with running_warden(run_dir, "two_nodes"):
        code, document, said = chaos("--faults", "kernel", "--every", "3", "--for", "3", "--yes")

    assert (code, document.get("problems")) == (0, []), said
    assert document["entries"][0]["healed_ms"] < HEALED_S * 1000


def test_a_tree_that_does_not_allow_it_commits_no_faults_and_says_how_to_allow_it(run_dir, chaos):
    with running_warden(run_dir, "two_nodes") as warden:
        with warden.client() as client, pytest.raises(KernelRefusedError, match="--allow-fault-injection"):
            client.inject_fault("/solo", "exit")
        code, document, said = chaos("--faults", "raise,kill", "--every", "2", "--for", "2", "--yes")

    assert code == 0
    assert [row["kind"] for row in document["kinds"]] == ["kill"]
    assert "not raise: it is done inside of a node, which this tree does not allow" in said


def test_a_fault_asked_of_what_is_no_actor_of_a_node_is_refused(run_dir):
    with running_warden(run_dir, "breakable") as warden, warden.client() as client:
        for path, why in (("/nobody", "nobody lives"), ("/", "only an actor that runs in a node")):
            with pytest.raises(KernelRefusedError, match=why):
                client.inject_fault(path, "raise")


def test_a_rate_that_the_tree_s_limits_cannot_bear_is_refused_before_anything_is_harmed(run_dir, chaos):
    with running_warden(run_dir, "two_nodes") as warden:
        before = warden.tree()
        code, _, said = chaos("--kill", "/solo", "--faults", "kill", "--every", "1.2", "--for", "60", "--yes")

        assert code == 6
        assert "/ parks /solo after more than 20 restarts in 60 s; use --every" in said
        assert warden.tree().root.find("/solo").pid == before.root.find("/solo").pid


def test_nothing_is_harmed_where_nobody_is_there_to_be_asked(run_dir, chaos, monkeypatch):
    with running_warden(run_dir, "two_nodes") as warden:
        before = warden.tree()
        with Path(os.devnull).open() as nobody:
            monkeypatch.setattr("sys.stdin", nobody)
            code, _, said = chaos("--faults", "kill", "--for", "3")

        assert code == 6
        assert "/engine, /solo" in said
        assert "say --yes" in said
        assert warden.tree().root.find("/solo").pid == before.root.find("/solo").pid


def test_an_interrupt_ends_the_injecting_and_the_ledger_so_far_is_printed(run_dir, chaos):
    with running_warden(run_dir, "two_nodes") as warden:

        def interrupt():
            assert wait_until(lambda: any(actor.incarnation > 1 for actor in warden.tree().root.walk()), BOUND_S)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        code, document, said = chaos("--faults", "kill", "--every", "8", "--for", "60", "--yes")
        thread.join()

    assert (code, document["was_cut_short"]) == (0, True), said
    assert len(document["entries"]) == 1


def test_a_target_that_does_not_come_back_makes_the_run_fail(run_dir, chaos, monkeypatch):
    """The negative control: were healing not looked at, this would pass."""
    monkeypatch.setattr(carrying_out, "LAST_HEAL_S", 1.0)
    with running_warden(run_dir, "flagged"):
        (run_dir / "flag").touch()
        code, document, _ = chaos("--kill", "/flagged", "--faults", "kill", "--every", "2", "--for", "2", "--yes")

    assert code == 1
    assert document["problems"][0] == "fault 1, kill of /flagged: not healed when the run ended"


def test_a_glob_that_nothing_fits_is_not_found(run_dir, chaos):
    with running_warden(run_dir, "two_nodes"):
        code, _, said = chaos("--kill", "/nobody/**", "--yes")

    assert code == 4
    assert "nothing that fits /nobody/**" in said
