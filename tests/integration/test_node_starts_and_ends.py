"""How nodes start and end: refusals, hangs, scripts, and nothing left behind."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from actors.runtime import Actor, ActorSystem, Backoff, ChildSpec, SupervisorSpec
from actors.runtime.errors import SpecError, StartError, TerminatedError
from actors.runtime.run_directory import RunDirectory
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant
from tests.support.leaks import Held

ROOT = Path(__file__).parents[2]
STARTS_S = 20.0


@pytest.fixture
def system():
    with ActorSystem("own") as system:
        yield system


@pytest.fixture
def events(system):
    probe = EventProbe(system.events)
    yield probe
    probe.close()


def test_a_node_whose_actor_does_not_start_says_why_and_leaves_nothing(system):
    before = _node_processes()
    with pytest.raises(StartError, match="/s did not start: OSError: cannot start today"):
        system.spawn(Servant, name="s", kwargs={"lives": ["raise"]}, process=True)

    assert system.snapshot().root.find("/s") is None
    assert _eventually(lambda: _node_processes() <= before)


def test_a_node_that_hangs_at_its_start_is_killed_in_time(system):
    before = _node_processes()
    began = time.monotonic()

    told = r"/s did not start: not ready within 2\.0 s; the last step of its process was: starting"
    with pytest.raises(StartError, match=told):
        system.spawn(Servant, name="s", kwargs={"lives": ["hang"]}, process=True, start_timeout=2.0)

    assert time.monotonic() - began < STARTS_S
    assert _eventually(lambda: _node_processes() <= before)


def test_a_node_that_hangs_at_its_end_is_killed_in_time(system, events):
    before = _node_processes()
    ref = system.spawn(Servant, name="s", process=True, shutdown=0.3)
    ref.tell(["hang"])
    events.expect("servant.hung", "/s")

    system.remove("s")

    events.expect("actor.exited", "/s", reason="killed", signal="SIGTERM", error="it was told to leave at once")
    assert _eventually(lambda: _node_processes() <= before)


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        ("no.such.module:C", "cannot import no.such.module"),
        ("tests.support.actors_for_tests:Nobody", "has no Nobody"),
        ("tests.support.exits_at_import:C", "SystemExit: 3"),
    ],
)
def test_a_class_that_a_node_cannot_import_is_one_clear_error(system, actor, text):
    with pytest.raises((StartError, SpecError), match=text):
        system.spawn(ChildSpec("s", actor, process=True))

    assert system.snapshot().root.children == ()


def test_a_node_inside_a_node_is_refused_where_it_is_written():
    with pytest.raises(SpecError, match="a node inside a node is not built yet"):
        SupervisorSpec("s", [ChildSpec("c", Servant, process=True)], process=True)


def test_a_class_inside_a_function_cannot_be_a_node(system):
    class Local(Actor):
        pass

    with pytest.raises(SpecError, match="a class inside a function cannot be imported"):
        system.spawn(Local, name="l", process=True)


def test_a_stop_in_the_middle_of_a_nodes_start_ends_soon_and_leaves_nothing():
    before = _node_processes()
    system = ActorSystem("t")
    outcome = []

    def spawn():
        try:
            system.spawn(Servant, name="s", process=True, kwargs={"lives": ["hang"]}, shutdown=1.0)
        except (StartError, TerminatedError) as error:
            outcome.append(error)

    spawner = threading.Thread(target=spawn)
    probe = EventProbe(system.events)
    system.begin().get(5)
    spawner.start()
    assert _eventually(lambda: system.snapshot().root.find("/s") is not None)
    began = time.monotonic()

    system.stop(20)

    assert time.monotonic() - began < STARTS_S / 2
    spawner.join(5)
    assert len(outcome) == 1
    probe.close()
    assert _eventually(lambda: _node_processes() <= before)


def test_no_process_thread_or_descriptor_is_left_after_the_stop(system):
    """The first system of a process starts the fork server, which stays: so there is one before."""
    system.spawn(Servant, name="first", process=True)
    before = Held.now()
    other = ActorSystem("other")
    for number in range(2):
        other.spawn(Servant, name=f"s{number}", process=True).ask(["who"])

    folder = other._run_dir.path
    assert folder.is_dir()

    other.stop()

    after = Held.now()
    assert after.threads == before.threads
    assert after.processes <= before.processes
    assert after.descriptors == before.descriptors
    assert not folder.exists()


def test_restarts_leave_no_descriptor(system, events):
    ref = system.spawn(Servant, name="s", process=True, backoff=Backoff(min=0, max=0))
    ref.ask(["who"])
    before = Held.now()

    for incarnation in (2, 3, 4):
        system.snapshot()
        ref.tell(["exit", 3])
        events.expect("actor.restarted", "/s", incarnation=incarnation)

    ref.ask(["who"])
    assert len(Held.now().descriptors) <= len(before.descriptors)


MAIN_WITH_EFFECT = """
import pathlib, sys, os
with open(sys.argv[1], "a") as file:
    file.write(f"imported as {__name__} by {os.getpid()}\\n")
from actors.runtime import Actor, ActorSystem
from tests.support.actors_for_tests import Counter

class Mine(Actor):
    pass

with ActorSystem("script") as system:
    ref = system.spawn(Counter, name="c", process=True)
    print(ref.ask(3))
    try:
        system.spawn(Mine, name="m", process=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    print(system.spawn(Mine, name="here").path)
"""


@pytest.fixture
def run_script(tmp_path):
    def run(text, *arguments, **environment):
        script = tmp_path / "script.py"
        script.write_text(text)
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        return subprocess.run(
            [sys.executable, str(script), *arguments], capture_output=True, text=True, env=environ, check=False, timeout=60
        )

    return run


def test_the_users_main_module_is_never_imported_by_a_node_and_its_classes_cannot_be_nodes(run_script, tmp_path):
    done = run_script(MAIN_WITH_EFFECT, str(tmp_path / "effects"))

    assert done.returncode == 0, done.stderr
    total, problem, path = done.stdout.splitlines()
    assert (total, path) == ("3", "/here")
    assert problem.startswith("SpecError: child 'm': actor: '__main__:Mine': other processes do not import `__main__`")
    (line,) = (tmp_path / "effects").read_text().splitlines()
    assert line.startswith("imported as __main__")


FOREIGN = """
import sys
from actors.runtime import ActorSystem, ChildSpec
from actors.runtime.errors import StartError
import victim
system = ActorSystem("foreign", packages=("actors", "victim"))
sys.path.insert(0, sys.argv[1])
try:
    system.spawn(ChildSpec("c", "tests.support.actors_for_tests:Counter", process=True))
except StartError as error:
    print(error)
finally:
    system.stop()
"""


def test_a_node_that_has_a_package_from_elsewhere_is_refused(run_script, tmp_path):
    """A folder of the same name that comes first in the node's path is enough."""
    for place in ("ours", "theirs"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "victim.py").touch()
    environment = {"PYTHONPATH": os.pathsep.join([str(tmp_path / "ours"), str(ROOT)])}

    done = run_script(FOREIGN, str(tmp_path / "theirs"), **environment)

    assert done.returncode == 0, done.stderr
    assert "/c did not start: victim was loaded from " in done.stdout
    assert str(tmp_path / "theirs" / "victim.py") in done.stdout
    assert str(tmp_path / "ours" / "victim.py") in done.stdout


def test_a_run_directory_may_be_given(tmp_path_factory):
    run_dir = RunDirectory(tmp_path_factory.mktemp("r") / "d")
    run_dir.claim()
    run_dir.sweep()
    with ActorSystem("t", run_dir=run_dir) as system:
        system.spawn(Servant, name="s", process=True).ask(["who"])
        sockets = [path for path in (run_dir.path / "nodes").iterdir() if path.is_socket()]
        assert len(sockets) == 2

    assert [path for path in (run_dir.path / "nodes").iterdir() if path.name.startswith("s-")] == []
    run_dir.tidy()
    run_dir.release()


def _node_processes():
    """The processes below this one that run nodes: the fork server's children."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and child.ppid() != os.getpid():
                found.add(child.pid)
    return found


def _eventually(holds):
    deadline, pause = time.monotonic() + 5, threading.Event()
    while not holds() and time.monotonic() < deadline:
        pause.wait(0.01)
    return holds()
