"""What the steps of a workflow do, said through ports. Each may be done again: the second time it finds its work done.

That is what lets a run go on after a crash: a step that was under way when the engine died is simply done again.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import TypeGuard, cast

from symphony.domain.artifact import Lineage
from symphony.domain.errors import ExtensionFailedError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.ids import BufferId, RunId
from symphony.domain.model import ModelSpec
from symphony.domain.operations import check_arguments
from symphony.domain.text import edits_between
from symphony.domain.workflow import Plain, Run, Step, Workflow
from symphony.ports.extension import ExtensionPort, Value
from symphony.ports.pit import PitPort
from symphony.ports.text_editing import TextEditingPort

CALLS_AT_ONCE = 64
"""Runs that may use one extension at the same time; its calls are handled one after the other all the same."""


class Operations:
    """Carries out steps. Call from the core's event loop."""

    def __init__(self, text: TextEditingPort, pit: PitPort, extensions: ExtensionPort) -> None:
        self._text = text
        self._pit = pit
        self._extensions = extensions

    async def perform(self, run: RunId, workflow: Workflow, step: Step, arguments: Mapping[str, Plain]) -> dict[str, Plain]:
        """Do what `step` says with its resolved arguments, and give its outputs. Raises what the ports declare."""
        check_arguments(step.operation, arguments)
        match step.operation:
            case "text.open":
                return await self._open(str(arguments["path"]))
            case "text.apply":
                return await self._apply(BufferId(str(arguments["buffer"])), str(arguments["text"]))
            case "text.save":
                return await self._save(BufferId(str(arguments["buffer"])))
            case "extension.invoke":
                return await self._invoke(run, workflow, step, arguments)
            case "artifact.put":
                return await self._put(run, step, arguments)
            case unknown:
                raise InvalidRequestError(f"step {step.id!r}: {unknown!r} is no operation")

    async def prepare(self, workflow: Workflow) -> None:
        """Install every extension that the workflow uses, and check that each has the operations asked of it.

        Raises what `ExtensionPort.install` declares, and `InvalidRequestError` with every operation that there is not.
        """
        problems = []
        for name, folder in workflow.extensions.items():
            wanted = {step.id: step.extension_operation for step in workflow.steps if step.extension == name}
            if not wanted:
                continue
            state = await self._extensions.install(folder)
            problems += [
                f"step {step!r}: {state.id} has no operation {operation!r}; it has {', '.join(state.operations)}"
                for step, operation in wanted.items()
                if operation not in state.operations
            ]
        if problems:
            raise InvalidRequestError(*problems)

    async def leave(self, run: Run) -> None:
        """Close the buffers that a run has opened, but for those with something unsaved."""
        opened = {status.outputs.get("buffer") for status in run.steps if status.state == "done"}
        for buffer in opened:
            if isinstance(buffer, str):
                await close_if_saved(self._text, BufferId(buffer))

    async def _open(self, path: str) -> dict[str, Plain]:
        state = await self._text.open(path)
        return {"buffer": state.id, "text": await self._text.text(state.id), "revision": state.revision}

    async def _apply(self, buffer: BufferId, text: str) -> dict[str, Plain]:
        state = await self._text.open(buffer)
        edits = edits_between(await self._text.text(state.id), text)
        if edits:
            state = await self._text.edit(state.id, edits, revision=state.revision)
        return {"revision": state.revision, "edits": len(edits)}

    async def _save(self, buffer: BufferId) -> dict[str, Plain]:
        await self._text.open(buffer)
        state = await self._text.save(buffer)
        return {"sha256": state.sha256, "size": len((await self._text.text(buffer)).encode())}

    async def _invoke(self, run: RunId, workflow: Workflow, step: Step, arguments: Mapping[str, Plain]) -> dict[str, Plain]:
        folder = workflow.extensions.get(step.extension or "")
        if folder is None or step.extension_operation is None:
            raise NotFoundError(f"step {step.id!r}: the workflow has no extension {step.extension!r}")
        extension = await self._extensions.install(folder)
        await self._pit.register_model(ModelSpec(extension.id, extension.version, leases=CALLS_AT_ONCE))
        lease = await self._pit.acquire_model(extension.id, holder=f"{run}/{step.id}")
        try:
            result = await self._extensions.invoke(
                extension.id, step.extension_operation, cast("dict[str, Value]", dict(arguments)), deadline_s=step.timeout_s
            )
        finally:
            await self._pit.release_model(lease.id)
        return _plain(result, extension.id)

    async def _put(self, run: RunId, step: Step, arguments: Mapping[str, Plain]) -> dict[str, Plain]:
        content = str(arguments["text"]).encode()
        artifact = await self._pit.put_artifact(content, str(arguments["media_type"]), Lineage(run, step.id))
        return {"artifact": artifact.id}


async def close_if_saved(text: TextEditingPort, buffer: BufferId) -> None:
    """Close a buffer that has nothing unsaved. An editor keeps what is open for ever, through its own death too."""
    # One that is closed already, or an editor that is away, leaves nothing for us to do.
    with suppress(NotFoundError, UnavailableError):
        if (await text.state(buffer)).pristine:
            await text.close(buffer)


def _plain(value: Mapping[str, object], extension: str) -> dict[str, Plain]:
    """Give an extension's result as outputs, which hold no bytes: a text is what later steps can use."""
    if any(_has_bytes(item) for item in value.values()):
        raise ExtensionFailedError(f"{extension} answered with bytes, which steps cannot hand on: answer with text")
    return {name: item for name, item in value.items() if _is_plain(item)}


def _has_bytes(value: object) -> bool:
    match value:
        case bytes():
            return True
        case list():
            return any(_has_bytes(item) for item in value)
        case dict():
            return any(_has_bytes(item) for item in value.values())
        case _:
            return False


def _is_plain(value: object) -> TypeGuard[Plain]:
    return value is None or isinstance(value, bool | int | float | str | list | dict)
