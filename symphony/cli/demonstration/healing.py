"""The fault and its healing: two processes killed at one moment of a run, and how long each took to be noticed and to be back.

The fault is triggered by an event of the run and hits processes that are held from before: nothing is looked up in between.
"""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from msgspec import Struct

from actors.runtime.control.client import ControlClient
from actors.runtime.errors import ActorRuntimeError
from actors.runtime.event import Event
from actors.runtime.run_directory import RunDirectory

from ..errors import FailedError
from ..kernel import newest_event
from ..processes import HeldProcesses

WAIT_S = 30.0


class Victim(Struct, frozen=True):
    """A process to kill, and the path of the actor whose restart heals that."""

    path: str
    pid: int
    name: str


class Healed(Struct, frozen=True):
    """What became of a victim; times run from the kill, by the clock of the kernel's events."""

    victim: Victim
    detected_ms: float
    ready_ms: float
    incarnation: int


class Fault:
    """Kills the victims when the step `step` of a run starts, and watches them heal, in a thread of its own.

    Use it as a context manager round the run: it begins to watch before, and stops when everything is back or the wait is over.
    `outcome` then gives what happened.
    """

    def __init__(self, run_dir: RunDirectory, victims: Sequence[Victim], *, step: str, report: Callable[[str], None]) -> None:
        self._victims = {victim.path: victim for victim in victims}
        self._step = step
        self._report = report
        self._killed_at: float | None = None
        self._exited: dict[str, float] = {}
        self._healed: dict[str, Healed] = {}
        self._problem = ""
        self._client = ControlClient(run_dir.control_socket, timeout_s=WAIT_S)
        self._held = HeldProcesses(victim.pid for victim in victims)
        self._thread = threading.Thread(target=self._watch, args=(newest_event(self._client),), name="fault", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        # After an error there is nothing more to wait for; the thread ends by itself when the tree does.
        self._thread.join(0.0 if error else WAIT_S)
        if not self._thread.is_alive():
            self._client.close()
            self._held.close()

    def outcome(self) -> list[Healed]:
        """Give how each victim healed. Raises `FailedError` where one did not, or where the run was over before the kill."""
        missing = [victim.name for victim in self._victims.values() if victim.path not in self._healed]
        if self._problem or missing:
            raise FailedError(self._problem or f"not seen to be ready again: {', '.join(missing)}")
        return list(self._healed.values())

    def _watch(self, since: int) -> None:
        try:
            for batch in self._client.events(since=since, follow=True, wait_s=WAIT_S):
                for event in batch.events:
                    self._note(event)
                if self._problem or len(self._healed) == len(self._victims):
                    return
        except ActorRuntimeError as error:
            self._problem = f"the events could not be followed to the end: {error}"

    def _note(self, event: Event) -> None:
        if event.type == "step.started" and event.fields.get("step") == self._step and self._killed_at is None:
            self._kill()
        elif event.type == "run.finished" and self._killed_at is not None and event.at < self._killed_at:
            self._problem = "the run was over before the processes were killed"
        elif event.path in self._victims and self._killed_at is not None and event.at >= self._killed_at:
            if event.type == "actor.exited":
                self._exited.setdefault(event.path, event.at)
            elif event.type == "actor.restarted" and event.path in self._exited:
                self._note_healed(self._victims[event.path], event, self._killed_at)

    def _kill(self) -> None:
        self._killed_at = time.time()
        for victim in self._victims.values():
            if not self._held.kill(victim.pid):
                self._problem = f"{victim.name} (pid {victim.pid}) had ended by itself"
        named = " and ".join(f"{victim.name} (pid {victim.pid})" for victim in self._victims.values())
        self._report(f"☠ step {self._step} has started: SIGKILL to {named}")

    def _note_healed(self, victim: Victim, event: Event, killed_at: float) -> None:
        detected_ms = (self._exited[victim.path] - killed_at) * 1000
        ready_ms = (event.at - killed_at) * 1000
        incarnation = event.fields.get("incarnation")
        self._healed[victim.path] = Healed(victim, detected_ms, ready_ms, incarnation if isinstance(incarnation, int) else 0)
        self._report(
            f"↻ {victim.name}: detected after {detected_ms:.0f} ms, ready after {ready_ms:.0f} ms, incarnation {incarnation}"
        )
