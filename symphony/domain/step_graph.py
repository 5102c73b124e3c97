"""The graph that steps form by their needs: whether it can be run at all.

Read by `symphony.domain.melody`, which checks a text, and by the DAG Tracker, which trusts no workflow that it is handed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from symphony.domain.ids import StepId
from symphony.domain.workflow import Step


def cycle_in(needs: Mapping[StepId, Sequence[StepId]]) -> tuple[StepId, ...]:
    """Give one cycle, its first name again at its end, or nothing; names outside the graph are ignored.

    Iterative: a melody may have more steps in a row than Python has stack.
    """
    done: set[StepId] = set()
    for root in needs:
        path: list[StepId] = []
        on_path: set[StepId] = set()
        stack: list[tuple[StepId, bool]] = [(root, True)]
        while stack:
            name, entering = stack.pop()
            if not entering:
                done.add(path.pop())
                on_path.discard(name)
            elif name in on_path:
                return (*path[path.index(name) :], name)
            elif name in needs and name not in done:
                path.append(name)
                on_path.add(name)
                stack.append((name, False))
                stack.extend((needed, True) for needed in reversed(needs[name]))
    return ()


def graph_problems(steps: Sequence[Step]) -> list[str]:
    """Give every reason why `steps` cannot be run in an order; none when they can."""
    problems = [] if steps else ["steps: there are none"]
    needs = {step.id: step.needs for step in steps}
    counts = Counter(step.id for step in steps)
    problems += [f'steps: {count} have the id "{step}"' for step, count in counts.items() if count > 1]
    problems += [
        f'steps.{step.id}: needs "{needed}", which is no step' for step in steps for needed in step.needs if needed not in needs
    ]
    if cycle := cycle_in(needs):
        problems.append(f"steps: {' needs '.join(cycle)}, a cycle")
    return problems
