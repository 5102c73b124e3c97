"""A run as lines for people, and what of it counts: its failure and its artifacts."""

from symphony.console.render import safe
from symphony.domain.workflow import Run, StepState

GLYPHS: dict[StepState, str] = {"waiting": "·", "ready": "·", "running": "◌", "done": "✓", "failed": "✗"}


def artifacts_of(run: Run) -> list[str]:
    """Give the ids of the artifacts that its steps made, each once, in the order of the steps."""
    found = [status.outputs["artifact"] for status in run.steps if "artifact" in status.outputs]
    return list(dict.fromkeys(artifact for artifact in found if isinstance(artifact, str)))


def failure_of(run: Run) -> str:
    """Say why a run failed; nothing for one that did not."""
    if run.state != "failed":
        return ""
    failed = [f"step {status.id}: {safe(status.error) or 'failed'}" for status in run.steps if status.state == "failed"]
    return f"run {run.id} failed: {'; '.join(failed) or 'no step says why'}"


def run_lines(run: Run) -> list[str]:
    """Give a run on a line of its own, then a line a step."""
    lines = [summary_line(run)]
    for status in run.steps:
        tries = f"  {status.attempts} attempts" if status.attempts > 1 else ""
        error = f"  {safe(status.error)}" if status.error else ""
        lines.append(f"  {GLYPHS[status.state]} {status.id}  {status.state}{tries}{error}")
    return lines + [f"  artifact {artifact}" for artifact in artifacts_of(run)]


def summary_line(run: Run) -> str:
    """Give a run on one line: id, state, melody, steps done, inputs."""
    done = sum(status.state == "done" for status in run.steps)
    inputs = " ".join(f"{name}={safe(str(value), limit=80)}" for name, value in run.inputs.items())
    return f"{run.id}  {run.state:<7}  {safe(run.workflow.name)}  {done} of {len(run.steps)} steps  {inputs}".rstrip()
