"""NodeChild: a node as its supervisor handles it."""

from collections.abc import Callable
from typing import Protocol

from msgspec import structs

from .. import signals
from ..address import ActorPath, is_within
from ..snapshot import ActorSnapshot, ActorState, ExitSnapshot, MailboxSnapshot
from ..supervision.difference import Difference
from ..supervision.orders import Reload
from ..supervision.spec import AnySpec, SupervisorSpec, encode_spec
from . import words
from .host import NodeHost


class NodeSurroundings(Protocol):
    """What a node's start needs to know of its system."""

    def boot_of(self, path: ActorPath, incarnation: int, spec: bytes, ended: ExitSnapshot | None) -> words.Boot:
        """Give the boot message for a life of the node at `path`."""
        ...


class NodeChild:
    """The supervisor's handle on one node. Its lives come and go; the handle stays."""

    def __init__(
        self,
        path: ActorPath,
        spec: AnySpec,
        host: NodeHost,
        surroundings: NodeSurroundings,
        report: Callable[[signals.ChildReport], None],
    ) -> None:
        self.last_exit: ExitSnapshot | None = None
        self.path = path
        self._spec = spec
        self._host = host
        self._surroundings = surroundings
        self._report = report
        self._state: ActorState = "stopped"
        self._incarnation = 0
        host.register(path)

    @property
    def last_step(self) -> str:
        """The last step of its present start."""
        life = self._host.life_of(self.path)
        return "" if life is None or life.address.incarnation != self._incarnation else life.step

    def start(self, incarnation: int) -> None:
        """Start a process for this life."""
        self._incarnation = incarnation
        self._state = "starting" if self.last_exit is None else "restarting"
        boot = self._surroundings.boot_of(self.path, incarnation, encode_spec(self._spec), self.last_exit)
        self._host.spawn(boot, self, self._spec.heartbeat_timeout)

    def stop(self, *, again: bool = False) -> None:
        """Ask the node to stop in order; what waits in its mailboxes ends with its process."""
        del again
        self._state = "stopping"
        shutdown = self._spec.shutdown
        self._host.ask_to_stop(self.path, None if isinstance(shutdown, str) else shutdown)

    def reload(self, order: Reload) -> None:
        """Tell the node's supervisor what it is to become; what keeps it from that is an event of its own."""
        self._spec = order.spec
        self._host.reload(self.path, encode_spec(order.spec))
        order.done.set_result(Difference())

    def kill(self, reason: str) -> None:
        """Kill the process."""
        del reason
        self._host.kill(self.path)

    def abandon(self, reason: str) -> None:
        """Kill the process; nothing of it is left behind."""
        self.kill(reason)

    def release(self, state: ActorState = "stopped") -> None:
        """Kill what is left of the process."""
        self._state = state
        self._host.kill(self.path)
        if state == "stopped":
            self._host.unregister(self.path)

    def set_state(self, state: ActorState) -> None:
        """Show this state until the next life."""
        self._state = state

    def on_ready(self, incarnation: int) -> None:
        """Hear from the host that a life is ready."""
        if incarnation == self._incarnation:
            self._state = "running"
        self._report(signals.ChildReady(self.path, incarnation))

    def on_hung(self, incarnation: int) -> None:
        """Hear from the host that a life hangs, and is about to be killed."""
        if incarnation == self._incarnation:
            self._state = "hung"

    def on_exit(self, incarnation: int, ended: ExitSnapshot) -> None:
        """Hear from the host that a life has ended."""
        if incarnation == self._incarnation:
            self._state = "restarting"
        self._report(signals.ChildExited(self.path, incarnation, ended))

    def snapshot(self) -> ActorSnapshot:
        """Give the node's last word on itself, corrected by what is known here: whether it lives, and how it died."""
        life = self._host.life_of(self.path)
        known = life.snapshot.top if life is not None and life.snapshot is not None else None
        pid = life.pid if life is not None else None
        if known is None:
            return self._unheard(pid)
        shown = known if self._state == "running" else _as_dead(known, self._state, self.last_exit)
        return structs.replace(
            shown, pid=pid, incarnation=self._incarnation, restarts=self._restarts, last_exit=self.last_exit or shown.last_exit
        )

    @property
    def _restarts(self) -> int:
        return max(0, self._incarnation - 1)

    def _unheard(self, pid: int | None) -> ActorSnapshot:
        supervisor = self._spec if isinstance(self._spec, SupervisorSpec) else None
        return ActorSnapshot(
            path=self.path,
            kind="worker" if supervisor is None else "supervisor",
            actor="Supervisor" if isinstance(self._spec, SupervisorSpec) else self._spec.actor.rpartition(":")[2],
            node=self.path,
            pid=pid,
            os_process=None,
            state=self._state,
            incarnation=self._incarnation,
            uptime_s=None,
            restarts=self._restarts,
            last_exit=self.last_exit,
            mailbox=MailboxSnapshot(0, 0, None),
            processed=0,
            strategy=None if supervisor is None else supervisor.strategy,
            intensity=None if supervisor is None else supervisor.intensity,
            period_s=None if supervisor is None else supervisor.period,
        )


def _as_dead(known: ActorSnapshot, state: ActorState, ended: ExitSnapshot | None) -> ActorSnapshot:
    """Give the last word of a node that does not live, all of it in `state`."""
    children = tuple(_as_dead(child, state, ended) for child in known.children)
    return structs.replace(
        known, state=state, pid=None, os_process=None, uptime_s=None, last_exit=ended or known.last_exit, children=children
    )


def lives_below(lives: dict[str, int], path: str) -> dict[str, int]:
    """Give the last incarnation of each path below `path`, itself left out: its own comes with the boot message."""
    return {known: number for known, number in lives.items() if known != path and is_within(known, path)}
