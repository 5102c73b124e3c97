"""What a service manager is told, held against a real socket."""

import os
import re
import socket

import pytest

from actors.runtime.warden.service_manager import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def heard(request, tmp_path):
    """A manager's socket: its address, and what arrives there."""
    address = str(tmp_path / "notify") if request.param == "path" else f"@symphony-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address.replace("@", "\0", 1))
        sock.settimeout(5.0)
        yield address, lambda: sock.recv(4096).decode()


def test_every_state_is_said_in_the_protocol_s_own_words(heard):
    address, receive = heard
    manager = ServiceManager(address)

    manager.ready("running\nwell")
    assert receive() == f"READY=1\nMAINPID={os.getpid()}\nSTATUS=running; well"
    manager.reloading()
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", receive())
    manager.stopping("at most 5.0 s")
    assert receive() == "STOPPING=1\nSTATUS=at most 5.0 s"
    manager.status("odd")
    assert receive() == "STATUS=odd"
    manager.beat()
    assert receive() == "WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "beat_s"),
    [
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}, 15.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "soon"}, None),
        ({"NOTIFY_SOCKET": "/run/x"}, None),
        ({"NOTIFY_SOCKET": "vsock:1:2", "WATCHDOG_USEC": "30000000"}, None),
        ({}, None),
    ],
)
def test_the_environment_says_whether_a_sign_of_life_is_wanted_and_is_passed_on_to_nobody(environ, beat_s):
    assert ServiceManager.from_environment(environ).beat_s == beat_s
    assert environ == {}


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens-here"])
def test_where_nobody_listens_nothing_happens(address):
    ServiceManager(address).ready("running")


def test_a_manager_that_does_not_read_holds_nobody_up(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        manager = ServiceManager(str(tmp_path / "notify"))
        for _ in range(1000):
            manager.beat()
