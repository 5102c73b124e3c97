"""Workflow and Run: what a Melody says, checked, and how far one run of it has come.

A workflow that is not a directed acyclic graph of known operations cannot be built: `symphony.domain.melody` reads it and lists
every problem. `symphony.domain.pit.dag_tracker` moves runs.
"""

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from symphony.domain.ids import RunId, StepId

PortType = Literal["text", "path", "buffer", "artifact", "integer", "number", "boolean", "any"]
"""The types of inputs and outputs; `any` fits each."""

StepState = Literal["waiting", "ready", "running", "done", "failed"]
RunState = Literal["running", "done", "failed"]

if TYPE_CHECKING:
    Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
    """What steps hand on: plain data."""
else:
    # msgspec refuses a recursive alias, so a decoder checks the outermost layer only.
    Plain = None | bool | int | float | str | list[Any] | dict[str, Any]


class Input(Struct, frozen=True):
    """A value that whoever starts the workflow must give."""

    name: str
    type: PortType
    summary: str = ""


class Step(Struct, frozen=True):
    """One operation. `needs` are the steps that must be done first, references included.

    `arguments` may contain references as strings: `${inputs.NAME}` or `${steps.ID.OUTPUT}`. `retries` is how often a failed step
    may be tried again. `timeout_s` bounds one try.
    """

    id: StepId
    operation: str
    arguments: dict[str, Plain]
    needs: tuple[StepId, ...] = ()
    extension: str | None = None
    extension_operation: str | None = None
    retries: int = 3
    timeout_s: float = 30.0


class Workflow(Struct, frozen=True):
    """A checked workflow. `extensions` maps the names that steps use to the absolute folders they are installed from."""

    name: str
    summary: str
    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    extensions: dict[str, str] = {}


class StepStatus(Struct, frozen=True):
    """One step of a run. `attempts` counts the tries begun; `outputs` are there once it is done."""

    id: StepId
    state: StepState
    attempts: int = 0
    outputs: dict[str, Plain] = {}
    error: str = ""


class Run(Struct, frozen=True):
    """One run of a workflow. `started_at` is in seconds since the epoch."""

    id: RunId
    workflow: Workflow
    inputs: dict[str, Plain]
    state: RunState
    steps: tuple[StepStatus, ...]
    started_at: float
