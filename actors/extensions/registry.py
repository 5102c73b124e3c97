"""ExtensionRegistryActor: which extensions are installed, and a host beside it for each.

What is installed is in a record on disk, and is what callers were told: an extension is recorded once it runs, and forgotten once
it is gone. So it stays installed across a restart of this actor, whose siblings run on, and of the node, in which their hosts are
started anew; one whose folder has vanished or changed meanwhile is dropped, with an event. Requests are handled one at a time, so
one which waits for a slow start (10 s at most) delays the others; calls of operations never come here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from msgspec import Struct, structs

from actors.extensions.folder import ExtensionFolder, read_folder
from actors.extensions.host import host_name, host_spec
from actors.extensions.installed_record import InstalledRecord
from actors.extensions.messages import Describe, Install, Installation, ListExtensions, Uninstall
from actors.runtime import Actor, ActorRef, ChildSpec, Future
from actors.runtime.dispatch.dispatcher import DispatcherKind
from actors.runtime.errors import ActorRuntimeError, AskTimeoutError, NameTakenError, NoSuchActorError, SpecError
from symphony.domain.errors import (
    ConflictError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    RequestError,
    SymphonyError,
    UnavailableError,
)
from symphony.domain.ids import ExtensionId
from symphony.ports.extension import ExtensionState

ISOLATION = "none"
"""The jail is not built yet: a worker is a process of its own and nothing more."""

WAIT_S = 20.0
"""How long to wait for a host to come or go: more than its spec allows it, so only a supervisor that ends makes this pass."""


class _Restore(Struct, frozen=True):
    """Start the hosts of what is recorded. To itself: a supervisor that starts takes no further children yet."""


class ExtensionRegistryActor(Actor):
    """The registry. `extension_logs` and `extension_state` are the folders for workers' logs and for the record."""

    dispatcher: ClassVar[DispatcherKind] = "pinned"
    messages = (Install, Uninstall, ListExtensions)
    expected_errors = (SymphonyError,)

    def __init__(self, extension_logs: str | Path, extension_state: str | Path) -> None:
        super().__init__()
        self._logs = Path(extension_logs)
        self._record = InstalledRecord(Path(extension_state))
        self._installed: dict[ExtensionId, ExtensionState] = {}

    def on_start(self) -> None:
        """Read the record. Raises `UnavailableError` where that cannot be done; a damaged one is told of, and moved aside."""
        found = self._record.read()
        if found is None:
            self.context.publish("extension.record_damaged", moved_to=str(self._record.path.with_suffix(".damaged")))
        self._installed = {state.id: state for state in found or ()}
        if self._installed:
            self.context.ref.tell(_Restore())

    def on_receive(self, message: Any) -> Any:
        """Handle a request."""
        match message:
            case Install(directory):
                return self._install(directory)
            case Uninstall(extension):
                return self._uninstall(extension)
            case ListExtensions():
                return tuple(self._installed[extension] for extension in sorted(self._installed))
            case _Restore():
                return self._restore()
            case _:
                return super().on_receive(message)

    def _install(self, directory: str) -> Installation:
        found = read_folder(directory)
        known = self._installed.get(found.manifest.id)
        if known is None:
            return Installation(self._install_new(directory, found), is_new=True)
        if known.digest != found.digest:
            raise ConflictError(f"{known.id} is installed with another content, from {known.directory}; uninstall that first")
        self._revive(known)
        return Installation(known, is_new=False)

    def _install_new(self, directory: str, found: ExtensionFolder) -> ExtensionState:
        manifest = found.manifest
        state = ExtensionState(manifest.id, manifest.kind, manifest.version, directory, found.digest, (), ISOLATION)
        ref = self._start(state)
        try:
            with _core_errors(state.id):
                state = structs.replace(state, operations=ref.ask(Describe(), timeout=WAIT_S))
            self._record.write([*self._installed.values(), state])
        except SymphonyError:
            self._stop(state.id)
            raise
        self._installed[state.id] = state
        self.context.publish("extension.installed", extension=state.id, version=state.version, digest=state.digest)
        return state

    def _uninstall(self, extension: ExtensionId) -> None:
        if extension not in self._installed:
            raise NotFoundError(f'no extension "{extension}" is installed')
        self._stop(extension)
        self._forget(extension)
        self.context.publish("extension.uninstalled", extension=extension)

    def _restore(self) -> None:
        """Start all hosts at once, and drop those whose folders are no longer what was installed."""
        waiting = {state.id: self.context.supervisor.add(self._spec(state)) for state in self._installed.values()}
        for extension, started in waiting.items():
            try:
                with _core_errors(extension):
                    _outcome(started)
            except RequestError as error:
                self._forget(extension)
                self.context.publish("extension.dropped", extension=extension, reason=str(error))
            except SymphonyError as error:
                # Not its folder's fault, so not for ever: installing it again, or the node's next life, tries again.
                self.context.publish("extension.start_failed", extension=extension, reason=str(error))

    def _start(self, state: ExtensionState) -> ActorRef:
        """Start the host, in place of one that is there without being recorded or has been given up."""
        spec = self._spec(state)
        with _core_errors(state.id):
            started = _outcome(self.context.supervisor.add(spec))
            if started is not None:
                return started
            self._stop(state.id)
            return self.context.supervisor.add(spec).get(WAIT_S)

    def _revive(self, state: ExtensionState) -> None:
        """Start a host that is parked, or could not be started; one that runs is left alone."""
        with _core_errors(state.id):
            try:
                self.context.supervisor.start(host_name(state.id)).get(WAIT_S)
            except NoSuchActorError:
                self._start(state)

    def _stop(self, extension: ExtensionId) -> None:
        with _core_errors(extension):
            try:
                self.context.supervisor.remove(host_name(extension)).get(WAIT_S)
            except NoSuchActorError:
                return

    def _forget(self, extension: ExtensionId) -> None:
        left = {known: state for known, state in self._installed.items() if known != extension}
        self._record.write(left.values())
        self._installed = left

    def _spec(self, state: ExtensionState) -> ChildSpec:
        try:
            return host_spec(state, self._logs)
        except SpecError as error:
            raise InvalidRequestError(f"{state.id}: the id is too long for an actor's name: {error}") from error


def _outcome(started: Future[ActorRef]) -> ActorRef | None:
    """Wait for a host and give its ref, or None where there is one of that name already. Raises what prevented the start."""
    try:
        return started.get(WAIT_S)
    except NameTakenError:
        return None


@contextmanager
def _core_errors(extension: ExtensionId) -> Iterator[None]:
    """Turn the runtime's errors about a host into the core's."""
    try:
        yield
    except AskTimeoutError as error:
        raise UnavailableError(f"{extension}: its host did not answer within {WAIT_S:g} s; look at it and try again") from error
    except ActorRuntimeError as error:
        raise ExtensionFailedError(f"{extension}: its host did not start: {error}") from error
