"""Launch: start a node's process by multiprocessing, without ever importing the parent's `__main__`.

forkserver where there is one, else spawn; never fork, which copies locks that other threads hold. multiprocessing would run the
parent's main module again in each child; here the child is told nothing of it, and so classes of `__main__` cannot be used in
other processes (a spec that tries says so). The server is preloaded with the runtime, which makes a node's start about five
times quicker, but only where the interpreter was started with `-P`: without it, the server would look for the runtime in the
current folder first.

The fork server is a process like any other, and may be killed, stopped or hang at any moment: then it is lost, which is an error
of its own, and whoever meets it ends the server and tries again with a new one.
"""

import contextlib
import importlib
import io
import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import os
import select
import signal
import socket
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import popen_forkserver, process, reduction, spawn, util
from typing import Any, cast

from ..exits import describe

ANSWER_S, FIRST_ANSWER_S = 2.0, 10.0
"""How long the fork server may take for a process, and how long where it may have to be started first, with all its imports."""
KILLED_S = 1.0
DESCRIPTORS = 10
"""What a launch needs at once. multiprocessing leaks some of them where it runs out half-way, so it is seen to before."""
LOSSES = (EOFError, ConnectionError, ChildProcessError, FileNotFoundError, TimeoutError)
"""What happens here where the fork server has died, or does not answer."""
NOT_PASSED_ON = ("init_main_from_name", "init_main_from_path", "dir", "orig_dir", "sys_argv")


class InheritedSocket:
    """A socket that goes along to the child; the parent closes its own copy once the child is started."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def __reduce__(self) -> tuple[Callable[[Any], socket.socket], tuple[Any]]:
        return _adopt, (reduction.DupFd(self._socket.fileno()),)


def _adopt(duplicate: Any) -> socket.socket:
    return socket.socket(fileno=duplicate.detach())


def enter(target: str, sock: socket.socket) -> None:
    """Call what the import path `target` names with the socket: the first line of ours in the child."""
    module, _, function = target.partition(":")
    getattr(importlib.import_module(module), function)(sock)


class ForkServerLostError(Exception):
    """The fork server has died or does not answer: `end_fork_server`, and try again."""


def launch(target: str, sock: socket.socket, name: str, preload: Sequence[str]) -> process.BaseProcess:
    """Start a process that imports `target` (`package.module:function`) and calls it with the socket.

    Takes some 10 ms, two seconds at most, ten where the fork server has to be started. Only the spawner's thread calls, because
    the kernel ties a child's parent-death signal to the thread that made it, so that thread must stay. Raises
    `ForkServerLostError`, or the `OSError` that prevents it.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        if sys.flags.safe_path:
            multiprocessing.forkserver.set_forkserver_preload(list(preload))
        child: process.BaseProcess = _ForkServerProcess(target=enter, args=(target, InheritedSocket(sock)), name=name)
        _see_to_descriptors(sock)
        try:
            child.start()
        except LOSSES as error:
            raise ForkServerLostError(describe(error)) from error
        return child
    child = multiprocessing.get_context("spawn").Process(target=enter, args=(target, InheritedSocket(sock)), name=name)
    with _no_main():
        child.start()
    return child


def let_go(child: process.BaseProcess, wait_s: float = 0.0) -> None:
    """Close what is kept of a process that has ended; its status may take `wait_s` seconds to come from the fork server.

    multiprocessing keeps two pipes open until its object is closed, which it refuses as long as the status has not come.
    """
    child.join(wait_s)
    try:
        child.close()
    except ValueError:
        # Nobody must look at it any more: the numbers of its pipes will be those of other descriptors.
        process._children.discard(child)  # type: ignore[attr-defined]  # noqa: SLF001  # no public way
        child._popen.close()  # type: ignore[attr-defined]  # noqa: SLF001  # as above


def fork_server_pid() -> int | None:
    """Give the process that multiprocessing has, or had, for its fork server."""
    pid: int | None = getattr(multiprocessing.forkserver._forkserver, "_forkserver_pid", None)  # noqa: SLF001  # no public way
    return pid


def end_fork_server() -> None:
    """Kill the fork server, whatever state it is in, so that the next launch starts another. Waits a second at most."""
    server: Any = multiprocessing.forkserver._forkserver  # noqa: SLF001  # no public way
    with server._lock:  # noqa: SLF001  # as above
        pid, server._forkserver_pid = server._forkserver_pid, None  # noqa: SLF001  # as above
        alive_fd, server._forkserver_alive_fd = server._forkserver_alive_fd, None  # noqa: SLF001  # as above
        server._forkserver_address = None  # noqa: SLF001  # as above
    if alive_fd is not None:
        os.close(alive_fd)
    if pid is None:
        return
    with contextlib.suppress(OSError):  # it is dead already, and may have been buried
        pidfd = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            _is_readable(pidfd, KILLED_S)
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
        finally:
            os.close(pidfd)


def _see_to_descriptors(sock: socket.socket) -> None:
    taken: list[int] = []
    try:
        for _ in range(DESCRIPTORS):
            taken.append(os.dup(sock.fileno()))  # noqa: PERF401  # those before the one that fails are to be closed
    finally:
        for descriptor in taken:
            os.close(descriptor)


def _is_readable(descriptor: int, within_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


class _ForkServerPopen(popen_forkserver.Popen):
    """multiprocessing's own way of starting a child, but for what the child is told about its parent."""

    _fds: list[int]
    sentinel: int
    pid: int
    finalizer: Any

    def _launch(self, process_obj: process.BaseProcess) -> None:
        told = spawn.get_preparation_data(process_obj.name)
        for key in NOT_PASSED_ON:
            told.pop(key, None)
        buffer = io.BytesIO()
        multiprocessing.context.set_spawning_popen(self)
        try:
            reduction.dump(told, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            multiprocessing.context.set_spawning_popen(None)
        server = fork_server_pid()
        self.sentinel, write_end = multiprocessing.forkserver.connect_to_new_process(self._fds)
        # The child takes the end of this pipe for the death of its parent, so a copy stays open as long as this object.
        kept_open = os.dup(write_end)
        self.finalizer = util.Finalize(self, util.close_fds, (kept_open, self.sentinel))  # type: ignore[attr-defined]  # not in typeshed
        try:
            with open(write_end, "wb", closefd=True) as stream:  # noqa: PTH123  # a descriptor, not a path
                stream.write(buffer.getbuffer())
            within_s = ANSWER_S if server == fork_server_pid() else FIRST_ANSWER_S
            if not _is_readable(self.sentinel, within_s):
                raise TimeoutError(f"the fork server has not answered within {within_s:g} s")  # noqa: TRY301  # closed below
            self.pid = multiprocessing.forkserver.read_signed(self.sentinel)
        except BaseException:  # whatever it was, nobody will close what this object has
            self.finalizer()
            raise


class _ForkServerProcess(process.BaseProcess):
    """A process of the fork server."""

    _start_method = "forkserver"

    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> _ForkServerPopen:  # noqa: N802  # multiprocessing's name
        return _ForkServerPopen(process_obj)


@contextlib.contextmanager
def _no_main() -> Iterator[None]:
    """Hide the main module from `spawn`, which has no seam for it. Other threads that look for it meanwhile find an empty one."""
    main = sys.modules["__main__"]
    hidden = types.ModuleType("__main__")
    hidden.__spec__ = cast("Any", types.SimpleNamespace(name="hidden.__main__"))
    sys.modules["__main__"] = hidden
    try:
        yield
    finally:
        sys.modules["__main__"] = main
