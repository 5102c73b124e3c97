"""Launch: start a node's process by multiprocessing, without ever importing the parent's `__main__`.

forkserver where there is one, else spawn; never fork, which copies locks that other threads hold. multiprocessing would run the
parent's main module again in each child; here the child is told nothing of it, and so classes of `__main__` cannot be used in
other processes (a spec that tries says so). The server is preloaded with the runtime, which makes a node's start about five
times quicker, but only where the interpreter was started with `-P`: without it, the server would look for the runtime in the
current folder first.
"""

import importlib
import io
import multiprocessing
import multiprocessing.context
import multiprocessing.forkserver
import os
import socket
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import popen_forkserver, process, reduction, spawn, util
from typing import Any, cast

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


def launch(target: str, sock: socket.socket, name: str, preload: Sequence[str]) -> process.BaseProcess:
    """Start a process that imports `target` (`package.module:function`) and calls it with the socket.

    Takes some 10 ms; only the spawner's thread calls, because the kernel ties a child's parent-death signal to the thread that
    made it, so that thread must stay.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        if sys.flags.safe_path:
            multiprocessing.forkserver.set_forkserver_preload(list(preload))
        child: process.BaseProcess = _ForkServerProcess(target=enter, args=(target, InheritedSocket(sock)), name=name)
        child.start()
        return child
    child = multiprocessing.get_context("spawn").Process(target=enter, args=(target, InheritedSocket(sock)), name=name)
    with _no_main():
        child.start()
    return child


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
        self.sentinel, write_end = multiprocessing.forkserver.connect_to_new_process(self._fds)
        # The child takes the end of this pipe for the death of its parent, so a copy stays open as long as this object.
        kept_open = os.dup(write_end)
        self.finalizer = util.Finalize(self, util.close_fds, (kept_open, self.sentinel))  # type: ignore[attr-defined]  # not in typeshed
        with open(write_end, "wb", closefd=True) as stream:  # noqa: PTH123  # a descriptor, not a path
            stream.write(buffer.getbuffer())
        self.pid = multiprocessing.forkserver.read_signed(self.sentinel)


class _ForkServerProcess(process.BaseProcess):
    """A process of the fork server."""

    _start_method = "forkserver"

    @staticmethod
    def _Popen(process_obj: process.BaseProcess) -> _ForkServerPopen:  # noqa: N802  # multiprocessing's name
        return _ForkServerPopen(process_obj)


@contextmanager
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
