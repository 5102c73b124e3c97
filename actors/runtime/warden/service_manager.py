"""ServiceManager: tells the system's service manager how the service is, by systemd's sd_notify protocol; without any library.

A datagram of `NAME=value` lines to the unix socket that `NOTIFY_SOCKET` names
(https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html). Where there is none, nobody is told anything. Nothing
here blocks or raises: a service that runs well must not end because its manager does not listen.
"""

import os
import socket
import time
from collections.abc import MutableMapping

MICROSECONDS = 1_000_000


class ServiceManager:
    """The way to the manager that has started this process. It keeps no descriptor open."""

    def __init__(self, address: str = "", *, watchdog_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        """Within how many seconds the manager wants a sign of life each time, or None."""

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> "ServiceManager":
        """Read the variables that a manager sets, and remove them: they are not meant for processes below this one."""
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds, pid = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")):
            return cls()
        is_wanted = microseconds.isdecimal() and int(microseconds) > 0 and pid in ("", str(os.getpid()))
        return cls(address, watchdog_s=int(microseconds) / MICROSECONDS if is_wanted else None)

    @property
    def beat_s(self) -> float | None:
        """How often to give a sign of life, half of the time within which one is wanted; None where none is."""
        return None if self.watchdog_s is None else self.watchdog_s / 2

    def ready(self, status: str) -> None:
        """Say that the service is up, also again after `reloading`."""
        self._tell("READY=1", f"MAINPID={os.getpid()}", _status(status))

    def reloading(self) -> None:
        """Say that the service takes over a new configuration; `ready` follows."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(time.clock_gettime(time.CLOCK_MONOTONIC) * MICROSECONDS)}")

    def stopping(self, status: str) -> None:
        """Say that the service is about to end."""
        self._tell("STOPPING=1", _status(status))

    def status(self, status: str) -> None:
        """Say in a line how the service is."""
        self._tell(_status(status))

    def beat(self) -> None:
        """Give a sign of life."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as sock:
                sock.sendto("\n".join(lines).encode(errors="replace"), self._address)
        except OSError:
            return  # nobody listens, or not now: that is the manager's own affair


def _status(text: str) -> str:
    return "STATUS=" + text.replace("\n", "; ")
