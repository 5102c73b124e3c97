"""What the Conductor is asked, and what it answers."""

from msgspec import Struct

from symphony.domain.ids import DecisionId, RunId, StepId


class Option(Struct, frozen=True):
    """Something that may be chosen; `cost` is what it is expected to take, in any one unit for all options of a context."""

    name: str
    cost: float = 0.0


class DecisionContext(Struct, frozen=True):
    """One question for the Conductor.

    `question` names the kind of decision: `next_step` (which of the ready steps first) or `after_failure` (what to do when a
    step has failed). `attempt` counts from 1; `features` are numbers that a policy may look at.
    """

    id: DecisionId
    question: str
    options: tuple[Option, ...]
    run: RunId | None = None
    step: StepId | None = None
    attempt: int = 1
    features: dict[str, float] = {}


class Decision(Struct, frozen=True):
    """The Conductor's answer; `confidence` is between 0 and 1, `rationale` is a sentence, `rule` names what decided."""

    id: DecisionId
    chosen: str
    confidence: float
    rule: str
    rationale: str


class ConductorPolicy(Struct, frozen=True):
    """The policy in force, as an operator may read it."""

    name: str
    version: int
    rules: tuple[str, ...]
