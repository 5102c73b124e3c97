"""Corner cases of messages between processes: lost, late, too many, too large, for the dead, and out of a forked process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import zmq

from actors.runtime import Backoff, ChildSpec
from actors.runtime.errors import AskTimeoutError, DeliveryError, NodeUnavailableError, RejectedError, TerminatedError
from actors.runtime.testing import Drop, FaultyTransport, MemoryNetwork
from actors.runtime.transport.base import NodeAddress
from actors.runtime.transport.zeromq import ZeromqTransport
from actors.runtime.wire.framing import MAX_FRAME
from tests.support.actors_for_tests import Servant
from tests.support.linked_systems import Side
from tests.support.process_ends import wait_until
from tests.support.villains import Villain

ROOT = Path(__file__).parents[2]
SOON_S, TIMEOUT_S = 2.0, 0.3
FRAMES = 3_000
"""More than libzmq and two sockets take for somebody who does not read."""


@pytest.fixture
def node(system):
    return system.spawn(ChildSpec("s", Villain, process=True, heartbeat_timeout=None))


@pytest.fixture
def frozen(node):
    """A node that is stopped by a signal, and cannot be seen to be."""
    process = psutil.Process(node.ask(["who"])["pid"])
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)
    yield process
    if process.is_running():
        process.resume()


def test_what_was_told_to_a_node_that_is_killed_has_its_effect_once_or_not_at_all(system, events, node, tmp_path):
    """To be sent again to the next life is the sender's business: whoever must know, asks."""
    told, asked = [], []
    for number in range(300):
        if number == 150:
            os.kill(node.ask(["who"])["pid"], signal.SIGKILL)
        try:
            asked.append((number, node.ask(["append", str(tmp_path / "effects"), number], timeout=None, block=False)))
        except DeliveryError:
            told.append(number)
    events.expect("actor.restarted", "/s", incarnation=2)

    outcomes = {number: future.error() for number, future in asked}
    effects = [int(line) for line in (tmp_path / "effects").read_text().splitlines()]
    assert len(effects) == len(set(effects)), "nothing has happened twice"
    assert effects == sorted(effects)
    assert {number for number, error in outcomes.items() if error is None} <= set(effects), "what was answered has happened"
    assert {type(error) for error in outcomes.values() if error is not None} <= {TerminatedError, NodeUnavailableError}
    assert set(effects).isdisjoint(told), "what was refused has not happened"


def test_a_reply_that_is_lost_is_a_timeout_of_the_asker_and_nobody_hangs():
    faulty = FaultyTransport(MemoryNetwork().open, [Drop(direction="reply")])
    near, far = (Side(faulty, path) for path in ("/near", "/far"))
    for side in (near, far):
        side.link.set_routes(["/near", "/far"], [near.address, far.address])
    far.spawn("/far", Servant)
    began = time.monotonic()

    with pytest.raises(AskTimeoutError):
        near.ref("/far").ask(["note", 1], timeout=TIMEOUT_S)

    assert time.monotonic() - began < TIMEOUT_S + SOON_S
    assert faulty.faults()["drop"] == 1
    assert far.ref("/far").ask(["note", 2]) == [1, 2], "it had been handled, and once"
    for side in (near, far):
        side.events.close()
        side.parts.close()


def test_what_waits_for_a_node_that_does_not_read_has_a_bound_and_the_supervisor_goes_on(system, node, frozen):
    refused = None
    began = time.monotonic()
    try:
        for number in range(200_000):
            node.tell(["note", number])
    except RejectedError as error:
        refused = error

    assert refused is not None
    again = time.monotonic()
    assert system.snapshot().root.find("/s").state == "running"
    assert system.spawn(Servant, name="other").ask(["who"])["incarnation"] == 1
    assert time.monotonic() - again < SOON_S
    assert time.monotonic() - began < 10 * SOON_S
    frozen.kill()
    wait_until(lambda: system.snapshot().root.find("/s").incarnation == 2)


def test_a_frame_over_the_limit_ends_the_way_of_who_sent_it_and_no_other(system, node):
    endpoint = system._host.life_of("/s").address.endpoint
    context = zmq.Context()
    stranger = context.socket(zmq.DEALER)
    try:
        monitor = stranger.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        stranger.connect(endpoint)
        stranger.send(b"x" * (MAX_FRAME + 1))

        assert monitor.poll(10_000), "it was hung up on"
        stranger.disable_monitor()
        monitor.close(linger=0)
    finally:
        context.destroy(linger=0)

    assert node.ask(["who"])["incarnation"] == 1


FORKED = """
import os
from actors.runtime import ActorSystem
from tests.support.actors_for_tests import Servant

with ActorSystem("t") as system:
    node = system.spawn(Servant, name="s", process=True)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        for send in (lambda: node.tell(["note", "copy"]), lambda: node.ask(["note", "copy"])):
            try:
                os.write(write, f"sent {send()}\\n".encode())
            except Exception as error:
                os.write(write, f"{type(error).__name__}: {error}\\n".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        print(said.read(), end="")
    os.waitpid(pid, 0)
    print(node.ask(["note", "mine"]))
"""


def test_a_forked_copy_of_the_process_cannot_send_and_is_told_so_at_once():
    """Threads do not come along with a fork, so nobody would carry what it sends; and nobody would let go of their locks."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    told, asked, mine = done.stdout.splitlines()
    assert told.startswith("UsageError: this process was forked")
    assert asked == told
    assert mine == "['mine']"


def test_the_close_takes_a_bounded_time_although_a_peer_does_not_read(tmp_path_factory):
    """ctx.term() would wait for ever, and LINGER is not to be relied on."""
    folder = tmp_path_factory.mktemp("z")

    class Nobody:
        def on_frame(self, peer, frame): ...
        def on_unsent(self, envelopes, reason): ...
        def on_forgotten(self, address): ...
        def on_failed(self, reason): ...

    with zmq.Context() as context, context.socket(zmq.ROUTER) as deaf:
        deaf.set(zmq.LINGER, 0)
        deaf.set(zmq.RCVHWM, 1)
        deaf.bind(f"ipc://{folder}/deaf")
        transport = ZeromqTransport("/a#1", f"ipc://{folder}/a", Nobody())
        address = NodeAddress("/deaf", 1, f"ipc://{folder}/deaf")
        for _ in range(FRAMES):
            assert transport.send(address, b"x" * 20_000)
        began = time.monotonic()

        transport.close()

        assert time.monotonic() - began < SOON_S


def test_a_ref_from_an_earlier_life_never_reaches_a_later_one_by_mistake(system, events):
    """Asked while its life lasts, it is answered by that life or told that it ended; the next life answers for itself."""
    node = system.spawn(ChildSpec("s", Servant, process=True, backoff=Backoff(min=0, max=0)))
    pid = node.ask(["who"])["pid"]
    hung = node.ask(["hang"], timeout=None, block=False)
    events.expect("servant.hung", "/s")
    behind = [node.ask(["who"], timeout=None, block=False) for _ in range(50)]

    os.kill(pid, signal.SIGKILL)

    for future in [hung, *behind]:
        with pytest.raises(TerminatedError):
            future.get(SOON_S)
    events.expect("actor.restarted", "/s", incarnation=2)
    assert node.ask(["who"])["incarnation"] == 2


def test_actors_of_two_processes_that_ask_each_other_end_by_their_deadlines(system):
    """Within one process a cycle is found at once; across processes, the deadline ends it."""
    first, second = (system.spawn(ChildSpec(name, Servant, process=True, shutdown=0.2)) for name in "ab")
    wait_until(lambda: _reaches(first, second))
    began = time.monotonic()

    with pytest.raises(AskTimeoutError):
        first.ask(["ask", second, ["ask", first, ["who"]]], timeout=TIMEOUT_S)

    assert time.monotonic() - began < TIMEOUT_S + SOON_S


def _reaches(ref, other):
    """Tell whether one node has heard of another by now."""
    try:
        return ref.ask(["ask", other, ["return", True]])
    except NodeUnavailableError:
        return False
