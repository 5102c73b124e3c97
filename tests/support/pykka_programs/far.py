"""An actor in the style of Pykka that can be started in another process."""

from typing import Any

from actors.runtime import ActorRef, ThreadingActor


class Box:
    """Something inside of an actor."""

    def __init__(self) -> None:
        self.things: list[Any] = []

    def put(self, thing: Any) -> int:
        """Keep it, and say how much there is."""
        self.things.append(thing)
        return len(self.things)


class FarActor(ThreadingActor):
    """Has a box, and starts others like it."""

    expected_errors = (Exception,)

    def __init__(self) -> None:
        super().__init__()
        self.box = Box()

    def start_another(self) -> ActorRef:
        """Start one beside this one."""
        return FarActor.start()
