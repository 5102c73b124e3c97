"""Workflows for tests that are about runs and not about melodies."""

from hypothesis import strategies as st

from symphony.domain.ids import StepId
from symphony.domain.workflow import Input, Step, Workflow


def workflow(needs: dict[str, list[str]], inputs: tuple[Input, ...] = ()) -> Workflow:
    """Build a workflow whose steps need each other as `needs` says."""
    steps = tuple(
        Step(StepId(id_), "extension.invoke", {}, tuple(StepId(needed) for needed in needed_ids), "x", "y")
        for id_, needed_ids in needs.items()
    )
    return Workflow("test", "", inputs, steps)


@st.composite
def acyclic_needs(draw: st.DrawFn, max_steps: int = 8) -> dict[str, list[str]]:
    """Draw the needs of a workflow that can run: a step needs steps before it, in any order of writing."""
    names = [f"s{number}" for number in range(draw(st.integers(1, max_steps)))]
    needs = {name: draw(st.lists(st.sampled_from(names[:at]), max_size=3)) if at else [] for at, name in enumerate(names)}
    return {name: needs[name] for name in draw(st.permutations(names))}
