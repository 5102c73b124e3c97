"""Run directory: where one kernel keeps its lock, sockets and logs; nobody else may enter.

Its mode is 0700 and its owner is the user, which is what protects the sockets in it. The lock is an flock on an open file, not
the existence of a file and not a bound socket: it ends with the last process that holds it, however that dies. (A second `bind`
to an ipc path succeeds and steals it.)
"""

import contextlib
import fcntl
import os
import stat
import time
import zlib
from pathlib import Path

import msgspec

from .errors import RunDirectoryBusyError, RunDirectoryError

MAX_SOCKET_PATH = 107
"""Bytes that Linux allows in the path of a unix socket."""
LOCK_TRIES, LOCK_PAUSE_S = 3, 0.01
_LONGEST_NAME = len("/nodes/") + 40


class Holder(msgspec.Struct):
    """Who holds the lock; 0 where there is none."""

    kernel: int = 0
    warden: int = 0


class RunDirectory:
    """A run directory. `claim` it before anything is written; it then owns the lock until `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd = -1

    @property
    def control_socket(self) -> Path:
        """Where the kernel answers the command line."""
        return self.path / "control.sock"

    @property
    def logs(self) -> Path:
        """One file of JSON lines a node."""
        return self.path / "logs"

    def log_of(self, node: str) -> Path:
        """Give the log of a node by its path, or of the `kernel`. `+` is in no name, so two of them never share a file."""
        if node in ("kernel", "/"):
            return self.logs / "kernel.jsonl"
        name = node.strip("/").replace("/", "+")
        return self.logs / ("kernel+.jsonl" if name == "kernel" else f"{name}.jsonl")

    @property
    def flight(self) -> Path:
        """The recordings of the nodes' lives."""
        return self.path / "flight"

    def stacks_of(self, node: str, incarnation: int) -> Path:
        """Give the file that a node's life writes to where its threads are, when it is asked."""
        return Path(f"{self.endpoint(node, incarnation).removeprefix('ipc://')}.stacks")

    @property
    def events(self) -> Path:
        """The events, as JSON lines."""
        return self.path / "events.jsonl"

    @property
    def lives(self) -> Path:
        """The last incarnation of each path, so that numbers grow also across the kernel's own restarts."""
        return self.path / "lives"

    @property
    def lives_behind(self) -> Path:
        """The file that `lives` becomes where a full disk has kept it from being written."""
        return self.path / "lives.behind"

    def endpoint(self, node: str, incarnation: int) -> str:
        """Give the ZeroMQ endpoint of a node's life."""
        name = node.strip("/").replace("/", ".") or "kernel"
        # The checksum keeps apart what has one name here, such as /a/b and /a.b: a second bind to one path would steal it.
        return f"ipc://{self.path}/nodes/{name[:16]}-{zlib.crc32(node.encode()):08x}.{incarnation}"

    def prepare(self) -> None:
        """Make the folder and check who may enter. Raises `RunDirectoryError`."""
        if len(os.fsencode(self.path)) + _LONGEST_NAME > MAX_SOCKET_PATH:
            room = MAX_SOCKET_PATH - _LONGEST_NAME
            raise RunDirectoryError(
                f"{self.path} is too long for the sockets in it: use a path of at most {room} bytes (--run-dir DIR)"
            )
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
        except OSError as error:
            raise RunDirectoryError(f"cannot make the run directory {self.path}: {error.strerror}; use --run-dir DIR") from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise RunDirectoryError(f"{self.path} belongs to another user: use --run-dir DIR with a folder of your own")
        if stat.S_IMODE(found.st_mode) & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise RunDirectoryError(f"{self.path} is open to others (mode {mode:04o}): run `chmod 700 {self.path}`")

    def claim(self, *, inherited_fd: int | None = None) -> int:
        """Take the lock, or take over one that the parent process passed on; gives its descriptor.

        Raises `RunDirectoryBusyError` where another kernel has it.
        """
        if inherited_fd is not None:
            self._lock_fd = inherited_fd
            return inherited_fd
        self.prepare()
        descriptor = -1
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _lock(descriptor)
        except BlockingIOError as error:
            os.close(descriptor)
            holder = self.holder()
            text = f"{self.path} is in use by {_named(holder)}: stop it with `symphony down`"
            raise RunDirectoryBusyError(text, holder=holder.kernel or None) from error
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise RunDirectoryError(f"cannot lock {self.path / 'lock'}: {error.strerror}; use --run-dir DIR") from error
        self._lock_fd = descriptor
        return descriptor

    def sign(self, holder: Holder) -> None:
        """Write down who holds the lock. Only its holder calls."""
        data = msgspec.json.encode(holder)
        os.pwrite(self._lock_fd, data, 0)
        os.ftruncate(self._lock_fd, len(data))

    def holder(self) -> Holder:
        """Read who holds (or last held) the lock."""
        try:
            return msgspec.json.decode((self.path / "lock").read_bytes(), type=Holder)
        except (OSError, ValueError, msgspec.MsgspecError):
            return Holder()

    def is_held(self) -> bool:
        """Tell whether some process holds the lock now."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, so that two who look do not take each other for a holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> None:
        """Make the folders, and remove what an earlier kernel left. Only the lock's holder calls."""
        self.logs.mkdir(mode=0o700, exist_ok=True)
        nodes = self.path / "nodes"
        nodes.mkdir(mode=0o700, exist_ok=True)
        for left in (*nodes.iterdir(), self.control_socket):
            left.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what must not outlive an orderly end: sockets, and the record of lives."""
        with contextlib.suppress(FileNotFoundError):
            for left in (self.path / "nodes").iterdir():
                left.unlink(missing_ok=True)
        self.control_socket.unlink(missing_ok=True)
        self.lives.unlink(missing_ok=True)
        self.lives_behind.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go of the lock."""
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


def _lock(descriptor: int) -> None:
    """Take the lock. `is_held` takes it too, for some microseconds, so one refusal is not the last word."""
    for _ in range(LOCK_TRIES):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(LOCK_PAUSE_S)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _named(holder: Holder) -> str:
    if holder.kernel:
        return f"kernel pid {holder.kernel}"
    return f"a kernel that warden pid {holder.warden} is starting" if holder.warden else "a kernel that is starting, pid unknown"
