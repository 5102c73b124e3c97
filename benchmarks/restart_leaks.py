"""Whether thousands of restarts leave anything behind.

Method. Two nodes that end their own processes as soon as they are ready, without back-off, until they have been restarted so
many times; then an actor that fails as soon as it is ready, inside of one node. What the tree holds is counted after the first
tenth of the restarts and after the last: zombies below the warden; descriptors and memory of the kernel, the warden and (in the
second case) the node; sockets and files of the run directory; files in /dev/shm, and temporary files, which go to a folder of
the tree's own. Memory may move by an eighth and 8 MiB, since the last 10,000 events are kept; all else must not grow by more
than what one restart under way holds.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from msgspec import Struct

from actors.runtime.control.client import ControlClient

from .report import Bar, NotMeasuredError, Row, at_most, row_of
from .restart_part import Part, wait_until
from .restart_trees import GO
from .running_tree import TEMPORARY, tree_process

MIB = 1024 * 1024
SPARE_MIB, SPARE_SHARE = 8.0, 0.125
UNDER_WAY = 8
"""Descriptors, sockets or files that restarts which are under way may hold at the moment of a count."""
WITHIN_S = 1800.0
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # counted, never written


class Holding(Struct, frozen=True):
    """What a tree holds at one moment. `most_rss` and `fds` are of its processes that stay, summed up."""

    zombies: int
    fds: int
    rss_mib: float
    sockets: int
    files: int
    shared_memory: int
    temporary: int


def process_restarts(count: int) -> Part:
    """Restart processes `count` times."""
    return _restarts("dying_processes", "processes", count, lambda _: [])


def actor_restarts(count: int) -> Part:
    """Restart an actor within a node `count` times."""
    return _restarts("failing_actors", "actors", count, lambda client: [_node_pid(client)])


def _restarts(tree: str, named: str, count: int, staying: Callable[[ControlClient], list[int]]) -> Part:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run_dir = Path(folder) / "run"
        with tree_process(run_dir, tree) as warden, ControlClient(run_dir / "control.sock", timeout_s=30.0) as client:
            kernel = client.ping().kernel
            (run_dir / GO).touch()
            _wait_for_restarts(client, count // 10)
            before = _holding(run_dir, warden.pid, [kernel, warden.pid, *staying(client)])
            started, at_start = time.monotonic(), _restarts_of(client)
            _wait_for_restarts(client, count)
            rate = (_restarts_of(client) - at_start) / (time.monotonic() - started)
            after = _settled(run_dir, warden.pid, [kernel, warden.pid, *staying(client)])
    return Part(tuple(_rows(named, count, before, after, rate)), tuple(_bars(named, count, before, after)))


def _rows(named: str, count: int, before: Holding, after: Holding, rate: float) -> Iterator[Row]:
    system = f"{count:,} restarts of {named}"
    yield row_of(system, "rate", "1/s", [rate])
    yield row_of(system, "memory of what stays, before", "MiB", [before.rss_mib])
    yield row_of(system, "memory of what stays, after", "MiB", [after.rss_mib])
    yield row_of(system, "descriptors, before", "", [before.fds])
    yield row_of(system, "descriptors, after", "", [after.fds])


def _bars(named: str, count: int, before: Holding, after: Holding) -> Iterator[Bar]:
    after_what = f"after {count:,} restarts of {named}"
    yield at_most(f"zombies {after_what}", 0, "", after.zombies)
    yield at_most(f"descriptors more {after_what}", UNDER_WAY, "", after.fds - before.fds)
    yield at_most(f"sockets more {after_what}", UNDER_WAY, "", after.sockets - before.sockets)
    yield at_most(f"files more {after_what}", UNDER_WAY, "", after.files - before.files)
    yield at_most(f"in /dev/shm more {after_what}", 0, "", after.shared_memory - before.shared_memory)
    yield at_most(f"temporary files more {after_what}", 0, "", after.temporary - before.temporary)
    room = SPARE_MIB + before.rss_mib * SPARE_SHARE
    yield at_most(f"memory more {after_what}", round(room, 1), "MiB", after.rss_mib - before.rss_mib)


def _settled(run_dir: Path, warden: int, staying: list[int]) -> Holding:
    """Look until no zombie is seen: the restarts go on, and one that has just died waits for a moment to be reaped."""
    looks: list[Holding] = []

    def is_clean() -> bool:
        looks.append(_holding(run_dir, warden, staying))
        return looks[-1].zombies == 0

    # Where they stay, they are what the bar is about: the last look has them.
    with contextlib.suppress(NotMeasuredError):
        wait_until(is_clean, "zombies stayed", within_s=5.0, pause_s=0.01)
    return looks[-1]


def _holding(run_dir: Path, warden: int, staying: list[int]) -> Holding:
    below = psutil.Process(warden).children(recursive=True)
    processes = [psutil.Process(pid) for pid in staying]
    inside = list(run_dir.rglob("*"))
    return Holding(
        zombies=sum(_is_zombie(process) for process in below),
        fds=sum(process.num_fds() for process in processes),
        rss_mib=sum(process.memory_info().rss for process in processes) / MIB,
        sockets=sum(path.is_socket() for path in inside),
        files=len(inside),
        shared_memory=len(list(SHARED_MEMORY.iterdir())) if SHARED_MEMORY.is_dir() else 0,
        temporary=len(list((run_dir.parent / TEMPORARY).iterdir())),
    )


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return str(process.status()) == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _restarts_of(client: ControlClient) -> int:
    return sum(actor.restarts for actor in client.tree().tree.root.walk() if actor.kind == "worker")


def _wait_for_restarts(client: ControlClient, count: int) -> None:
    wait_until(lambda: _restarts_of(client) >= count, f"there were no {count} restarts", within_s=WITHIN_S, pause_s=0.1)


def _node_pid(client: ControlClient) -> int:
    node = client.tree().tree.root.find("/node")
    if node is None or node.pid is None:
        raise NotMeasuredError("/node has no process")
    return node.pid
