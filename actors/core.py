"""CoreActor: a mailbox round SymphonyCore, on the engine's event loop.

Its handlers only begin what takes long, so that it answers while runs are under way.
"""

from typing import Any, ClassVar

from actors.runtime import Actor
from symphony.domain.errors import SymphonyError
from symphony.domain.workflow import Run
from symphony.orchestration.requests import EditText, GetRun, ListRuns, ReadText, RunMelody, Runs, Text
from symphony.orchestration.symphony_core import SymphonyCore


class CoreActor(Actor):
    """What users ask for. `core` is built by the composition root."""

    dispatcher: ClassVar = "async"
    messages: ClassVar = (RunMelody, GetRun, ListRuns, ReadText, EditText)
    expected_errors: ClassVar = (SymphonyError,)

    def __init__(self, core: SymphonyCore) -> None:
        super().__init__()
        self._core = core

    async def on_start(self) -> None:
        """Go on with the runs that an earlier life left unfinished."""
        await self._core.resume()

    async def on_stop(self) -> None:
        """Leave the runs under way for the next life."""
        await self._core.close()

    async def on_failure(self, *_: object) -> None:
        """Leave the runs under way for the next life."""
        await self._core.close()

    async def on_receive(self, message: Any) -> Run | Runs | Text:
        """Handle one request of `symphony.orchestration.requests`."""
        if not isinstance(message, self.messages):
            return super().on_receive(message)  # type: ignore[no-any-return]  # it raises
        return await self._core.handle(message)
