"""The parent's side of its nodes, as far as it goes without any node."""

import threading

import pytest

from actors.runtime.events import EventLog
from actors.runtime.node.host import NodeHost
from actors.runtime.run_directory import RunDirectory
from actors.runtime.testing import FakeClock
from tests.support.leaks import Held


@pytest.fixture
def host(tmp_path):
    clock = FakeClock()
    host = NodeHost(RunDirectory(tmp_path), clock, EventLog(clock, "kernel"), {}, ())
    yield host
    host.close()


def test_lists_of_nodes_are_published_in_the_order_in_which_they_were_made(host, gate):
    """An older list that overtook a newer one would cut a node off for the rest of its life."""
    published = []

    def publish(nodes, addresses):
        if nodes == ["/a"]:
            gate.wait()
        published.append(nodes)

    host.on_routes = publish
    first = threading.Thread(target=host.register, args=("/a",))
    second = threading.Thread(target=host.register, args=("/b",))
    first.start()
    assert gate.reached.wait(5)
    second.start()
    second.join(0.05)
    gate.open()
    first.join(5)
    second.join(5)

    assert published == [["/a"], ["/a", "/b"]]


def test_a_closed_host_wakes_nobody_and_touches_no_descriptor_that_is_no_longer_its_own(tmp_path):
    before = Held.now()
    clock = FakeClock()
    host = NodeHost(RunDirectory(tmp_path), clock, EventLog(clock, "kernel"), {}, ())
    host.close()

    host.register("/late")
    host.kill("/late")
    host.refresh(0.01)

    after = Held.now()
    assert (after.threads, after.descriptors) == (before.threads, before.descriptors)
