"""Promises: who waits for what to become of a supervisor's children."""

from ..future import Future
from ..ref import ActorRef


class Promises:
    """The futures of the orders that are under way, by child. Only the supervisor's own turn calls."""

    def __init__(self) -> None:
        self._started: dict[str, list[Future[ActorRef]]] = {}
        self._ended: dict[str, list[Future[None]]] = {}

    def when_started(self, child: str, done: Future[ActorRef]) -> None:
        """Resolve `done` once the child runs."""
        self._started.setdefault(child, []).append(done)

    def when_ended(self, child: str, done: Future[None]) -> None:
        """Resolve `done` once the child has stopped or is gone."""
        self._ended.setdefault(child, []).append(done)

    def started(self, child: str, ref: ActorRef) -> None:
        """Hear that a child runs."""
        for future in self._started.pop(child, ()):
            future.set_result(ref)

    def ended(self, child: str) -> None:
        """Hear that a child has stopped or is gone."""
        for future in self._ended.pop(child, ()):
            future.set_result(None)

    def take_started(self, child: str) -> list[Future[ActorRef]]:
        """Give those who wait for the child to run, who are told by the caller that it does not."""
        return self._started.pop(child, [])

    def waits_for_start(self, child: str) -> bool:
        """Tell whether anybody waits for the child to run."""
        return child in self._started

    def settle_all(self, why: BaseException) -> None:
        """Answer whoever still waits: nothing more will happen."""
        for child in list(self._started):
            for starting in self._started.pop(child):
                starting.set_error(why)
        for child in list(self._ended):
            self.ended(child)
