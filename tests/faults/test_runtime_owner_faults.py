"""What becomes of nodes when their owner dies, and of the runtime when its process lacks what it takes for granted."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.process_ends import gone

ROOT = Path(__file__).parents[2]


OWNER = """
import sys, threading
from actors.runtime import ActorSystem, ChildSpec, SupervisorSpec
from tests.support.actors_for_tests import Servant

system = ActorSystem("owner")
refs = [system.spawn(Servant, name=f"s{number}", process=True) for number in range(2)]
system.spawn(SupervisorSpec("team", [ChildSpec("a", Servant)], process=True))
pids = [ref.ask(["who"])["pid"] for ref in [*refs, system.ref("/team/a")]]
refs[0].tell(["hang"])
print(*pids, flush=True)
threading.Event().wait()
"""


@contextlib.contextmanager
def _script(text):
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True, env=environ, cwd="/") as script:
        try:
            yield script
        finally:
            script.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_process_that_owns_the_system_dies_and_every_node_isgone(how):
    with _script(OWNER) as owner:
        pids = {int(pid) for pid in owner.stdout.readline().split()}
        assert len(pids) == 3
        assert all(psutil.pid_exists(pid) for pid in pids)

        owner.send_signal(how)

        owner.wait(5)
        gone(pids)


WITHOUT_FORK_SERVER = """
import os, signal, psutil
from actors.runtime import ActorSystem
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant

with ActorSystem("t") as system:
    events = EventProbe(system.events)
    ref = system.spawn(Servant, name="s", process=True)
    node = psutil.Process(ref.ask(["who"])["pid"])
    server = node.parent()
    assert server.pid != os.getpid()
    server.kill()
    while server.status() != psutil.STATUS_ZOMBIE:  # nobody but multiprocessing may bury it
        pass
    print(ref.ask(["who"])["pid"] == node.pid)
    node.kill()
    events.expect("actor.restarted", "/s", incarnation=2)
    print(system.snapshot().root.find("/s").last_exit.reason, ref.ask(["who"])["incarnation"])
    events.close()
"""


def test_the_fork_server_dies_and_nodes_live_on_and_can_be_restarted():
    """An exit status that was lost with it is told as unknown."""
    with _script(WITHOUT_FORK_SERVER) as script:
        out, _ = script.communicate(timeout=30)

    assert script.returncode == 0
    assert out.splitlines() == ["True", "unknown 2"]


WITHOUT_DESCRIPTORS = """
import os, resource
from actors.runtime import ActorSystem
from tests.support.actors_for_tests import Counter

with ActorSystem("t") as system:
    system.spawn(Counter, name="first", process=True)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    held = []
    try:
        while True:
            held.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    try:
        system.spawn(Counter, name="second", process=True)
    except Exception as error:
        kind, text = type(error).__name__, str(error)
    for fd in held:
        os.close(fd)
    print(kind, text)
    print(system.spawn(Counter, name="third", process=True).ask(3))
"""


def test_no_descriptor_is_free_and_a_start_fails_clearly_and_later_ones_succeed():
    with _script(WITHOUT_DESCRIPTORS) as script:
        out, _ = script.communicate(timeout=30)

    assert script.returncode == 0
    first, second = out.splitlines()[-2:]
    assert first.startswith("StartError /second did not start: cannot start a process: OSError: [Errno 24]")
    assert second == "3"


WITHOUT_STANDARD_OUTPUT = """
import os, sys
from actors.runtime import ActorSystem
from actors.runtime.testing import EventProbe
from tests.support.actors_for_tests import Servant

with ActorSystem("t") as system:
    events = EventProbe(system.events)
    ref = system.spawn(Servant, name="s")
    sys.stdout.close()
    os.close(1)
    ref.tell(["raise", "ValueError", "told to"])
    events.expect("actor.restarted", "/s", incarnation=2)
    os.write(2, f"answered by life {ref.ask(['who'])['incarnation']}".encode())
    events.close()
"""


def test_standard_output_is_closed_so_no_log_line_can_be_written_and_actors_are_restarted_all_the_same():
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT_STANDARD_OUTPUT]

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=30)

    assert "answered by life 2" in done.stderr
