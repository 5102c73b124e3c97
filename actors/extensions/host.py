"""ExtensionHostActor: one installed extension; it stands for the extension's worker process.

A worker that has ended ends the actor's life too, so that its supervisor, who counts and backs off, decides about the next one,
and the tree shows what happened: an idle worker is watched, and one that ends during a call (or is killed at the call's deadline)
is answered for first. Calls that wait meanwhile are handled by the next life. That one starts the same content or none: a folder
that has changed since it was installed is refused.
"""

import re
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from actors.extensions.folder import read_folder
from actors.extensions.messages import Describe, Invoke
from actors.extensions.worker_log import WorkerLog
from actors.extensions.worker_process import WorkerProcess
from actors.extensions.worker_watch import WorkerWatch
from actors.runtime import Actor, ChildSpec
from actors.runtime.dispatch.dispatcher import DispatcherKind
from actors.runtime.errors import OsProcessDiedError
from actors.runtime.exits import signal_name
from symphony.domain.errors import ConflictError, InvariantError, SymphonyError, UnavailableError
from symphony.domain.ids import ExtensionId
from symphony.ports.extension import ExtensionState, Value

START_TIMEOUT_S = 10.0
"""How long a worker may take to be ready; a manifest may ask for less."""

STOP_GRACE_S = 2.0
"""How long a worker may take to leave before it is killed."""

_SLACK_S = 5.0
"""What the actor's own start may take beside the worker's, above all the reading of its folder."""


class ExtensionHostActor(Actor):
    """The host of `extension`. A call blocks its thread, so it has one of its own, and a slow extension delays no other."""

    dispatcher: ClassVar[DispatcherKind] = "pinned"
    messages = (Describe, Invoke)
    expected_errors = (SymphonyError,)

    def __init__(self, extension: str, directory: str, digest: str, log: str) -> None:
        super().__init__()
        self._extension = extension
        self._directory = directory
        self._digest = digest
        self._log_path = Path(log)
        self._log: WorkerLog | None = None
        self._worker: WorkerProcess | None = None
        self._watch: WorkerWatch | None = None

    def on_start(self) -> None:
        """Start the worker. Raises what `read_folder` and `WorkerProcess.start` do, and `ConflictError` for another content."""
        found = read_folder(self._directory)
        if found.digest != self._digest:
            raise ConflictError(
                f"{self._extension}: {self._directory} has changed since it was installed: uninstall it, then install it again"
            )
        log = self._log = WorkerLog(self._log_path, self.context.clock)
        worker = self._worker = WorkerProcess.start(
            found.manifest, self._directory, START_TIMEOUT_S, log_fd=log.fd, on_log=log.add
        )
        self._watch = WorkerWatch(
            worker.pidfd, self._extension, lambda status: self.context.fail(_death(worker.command, worker.pid, status))
        )
        self.context.set_os_process(worker.pid, worker.command)

    def on_receive(self, message: Any) -> Any:
        """Call the worker."""
        match message:
            case Invoke(operation, arguments, deadline_s):
                return self._invoke(operation, arguments, deadline_s)
            case Describe():
                return tuple(sorted(self._live_worker().operations))
            case _:
                return super().on_receive(message)

    def on_stop(self) -> None:
        """End the worker in order."""
        self._let_go(STOP_GRACE_S)

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker at once, if it is not what failed."""
        del exception_type, exception_value, traceback
        self._let_go(0.0)

    def on_kill(self) -> None:
        """Kill the worker, so that the call that waits for it returns."""
        watch = self._watch
        if watch is not None:
            watch.kill()

    def _invoke(self, operation: str, arguments: dict[str, Value], deadline_s: float) -> dict[str, Value]:
        worker = self._live_worker()
        try:
            return worker.invoke(operation, arguments, deadline_s)
        finally:
            # Before the answer leaves, so that the next message is handled by a new life, not by one that has lost its worker.
            self._end_life_without(worker)

    def _live_worker(self) -> WorkerProcess:
        worker = self._worker
        if worker is None:
            raise InvariantError(f"{self._extension}: its host has let go of its worker and handles messages")
        self._end_life_without(worker)
        if worker.fileno() < 0:
            raise UnavailableError(f"{self._extension}: its worker has ended and is being replaced; nothing was done, try again")
        return worker

    def _end_life_without(self, worker: WorkerProcess) -> None:
        """Fail the actor if its worker has ended, or is one that even SIGKILL has not ended yet."""
        status = worker.exit_status()
        if worker.fileno() < 0:
            self._let_go(0.0)
            self.context.fail(_death(worker.command, worker.pid, status))

    def _let_go(self, grace_s: float) -> None:
        """Free everything; again is the same as once."""
        if self._watch is not None:
            self._watch.close()
        try:
            if self._worker is not None:
                self._worker.stop(grace_s)
        finally:
            if self._log is not None:
                self._log.close()


def host_name(extension: str) -> str:
    """Give the name of an extension's host beside the registry. It is the id, whose letters all fit into a path.

    What is no id gives a name that no installed extension has.
    """
    return re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):x}_", extension)


def host_spec(state: ExtensionState, logs: Path) -> ChildSpec:
    """Give the spec of the host of an extension; its worker's log goes to a file in `logs`. Raises `SpecError`."""
    name = host_name(state.id)
    return ChildSpec(
        name,
        ExtensionHostActor,
        kwargs={
            "extension": state.id,
            "directory": state.directory,
            "digest": state.digest,
            "log": str(log_path(logs, state.id)),
        },
        start_timeout=START_TIMEOUT_S + _SLACK_S,
        # Also how long a call that runs may still take; then its worker is killed.
        shutdown=STOP_GRACE_S + 1.0,
    )


def log_path(logs: Path, extension: ExtensionId) -> Path:
    """Give the file of what an extension prints and logs."""
    return logs / f"extension-{host_name(extension)}.log"


def _death(command: str, pid: int, status: int | None) -> OsProcessDiedError:
    if status is not None and status < 0:
        return OsProcessDiedError(command, pid, signal=signal_name(-status))
    return OsProcessDiedError(command, pid, exit_code=status)
