"""Injecting: one planned fault after the other, carried out on processes that are held by pidfds, and never on a stranger's."""

import signal
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

import psutil

from actors.runtime.chaos.faults import INSIDE, FaultKind
from actors.runtime.chaos.plan import PlannedFault
from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError
from actors.runtime.run_directory import RunDirectory
from actors.runtime.snapshot import ActorSnapshot, TreeSnapshot

from ..errors import FailedError
from ..processes import HeldProcesses
from .healing import Healing
from .watching import Watch

WELL_WAIT_S = 10.0
"""How long a target may take to be well again before it is hit once more."""
PAUSE_S = 0.02
ANSWER_S = 5.0
SIGNALS: Mapping[FaultKind, signal.Signals] = MappingProxyType(
    {
        "kill": signal.SIGKILL,
        "batch": signal.SIGKILL,
        "forkserver": signal.SIGKILL,
        "kernel": signal.SIGKILL,
        "stop": signal.SIGSTOP,
        "segfault": signal.SIGSEGV,
    }
)


class Injector:
    """Carries out faults on the tree of one run directory; for one thread. `leaving` ends its waits."""

    def __init__(self, run_dir: RunDirectory, watch: Watch, leaving: threading.Event) -> None:
        self._run_dir = run_dir
        self._watch = watch
        self._leaving = leaving

    def inject(self, planned: PlannedFault) -> bool:
        """Carry out one fault, once what it hits is well; False where somebody wants to leave before that.

        Raises `FailedError` where the targets do not get well, or the fault cannot be carried out.
        """
        deadline = time.monotonic() + WELL_WAIT_S
        while not self._leaving.is_set():
            why = self._attempt(planned)
            if not why:
                return True
            if time.monotonic() > deadline:
                raise FailedError(f"{planned.kind} was not injected, since within {WELL_WAIT_S:g} s: {why}")
            self._leaving.wait(PAUSE_S)
        return False

    def _attempt(self, planned: PlannedFault) -> str:
        """Carry the fault out, or say why not now."""
        try:
            return self._try(planned)
        except (ActorRuntimeError, FailedError) as error:
            return str(error)

    def _try(self, planned: PlannedFault) -> str:
        with ControlClient(self._run_dir.control_socket, timeout_s=ANSWER_S) as client, HeldProcesses() as held:
            tree = client.tree().tree
            hit = _well(tree, planned.paths)
            if isinstance(hit, str):
                return hit
            pids = _pids_of(planned, tree, hit)
            for pid in pids:
                held.hold(pid)
            # Held first, then asked again: a pid that is still named now belongs to the process that is held.
            again = client.tree().tree
            hit_again = _well(again, planned.paths)
            if isinstance(hit_again, str) or _pids_of(planned, again, hit_again) != pids:
                return "its processes have just changed"
            lives = {actor.path: actor.incarnation for actor in hit}
            healing = Healing(planned, time.time(), lives, {actor.path: actor.node for actor in hit}, tree.root.pid or 0)
            self._watch.expect(healing)
            try:
                self._commit(planned, client, held, pids)
            except BaseException:  # an interrupt included: what did not happen must not be waited for
                self._watch.forget(healing)
                raise
        return ""

    def _commit(self, planned: PlannedFault, client: ControlClient, held: HeldProcesses, pids: list[int]) -> None:
        if planned.kind in INSIDE:
            client.inject_fault(planned.paths[0], planned.kind)
            return
        hit = [held.send(pid, SIGNALS[planned.kind]) for pid in pids]
        if not any(hit):
            raise FailedError("its processes have just ended by themselves")


def _well(tree: TreeSnapshot, paths: tuple[str, ...]) -> list[ActorSnapshot] | str:
    """Give the actors at `paths`, all of which run, or say which does not."""
    found = []
    for path in paths or ("/",):
        actor = tree.root.find(path)
        if actor is None or actor.state != "running" or actor.pid is None:
            return f"{path} is {'not there' if actor is None else actor.state}"
        node = tree.root.find(actor.node)
        if node is not None and node.state != "running":
            return f"{node.path} is {node.state}"
        found.append(actor)
    return found


def _pids_of(planned: PlannedFault, tree: TreeSnapshot, hit: list[ActorSnapshot]) -> list[int]:
    """Give the processes to signal, in order; the fork server before the node that must come back without it."""
    pids = [] if planned.kind in INSIDE else [actor.pid for actor in hit if actor.pid is not None]
    return [*_fork_servers(tree.root.pid or 0), *pids] if planned.kind == "forkserver" else pids


def _fork_servers(kernel: int) -> list[int]:
    try:
        children = psutil.Process(kernel).children()
        return [child.pid for child in children if any("fork_server" in part or "forkserver" in part for part in child.cmdline())]
    except psutil.Error as error:
        raise FailedError(f"the kernel's fork server cannot be found: {error}") from error
