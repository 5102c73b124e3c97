"""Checking a tree before it runs: what is odd about it, and how long it may take to stop."""

from actors.runtime.errors import SpecError
from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.supervision.lint import SpecWarning, warnings_of
from actors.runtime.supervision.shutdown_plan import shutdown_plan
from actors.runtime.supervision.spec import SupervisorSpec, decode_spec

from ..exit_codes import ExitCode
from ..output import note, write_json, write_line


def tree_of_plan(plan: KernelPlan) -> SupervisorSpec:
    """Give the tree that a plan is to run."""
    return tree_of(plan.spec)


def tree_of(data: bytes) -> SupervisorSpec:
    """Give the root's spec. Raises `SpecError` where it is none."""
    tree = decode_spec(data)
    if not isinstance(tree, SupervisorSpec):
        raise SpecError("the root of a tree is a supervisor")
    return tree


def warnings_of_plan(plan: KernelPlan) -> tuple[SpecWarning, ...]:
    """Give what is odd about the tree that a plan is to run."""
    return warnings_of(tree_of_plan(plan))


def check_plan(plan: KernelPlan, *, as_json: bool) -> ExitCode:
    """Say what is odd about the tree; the exit code is 1 where anything is."""
    tree = tree_of_plan(plan)
    warnings, stop = warnings_of(tree), shutdown_plan(tree)
    if as_json:
        write_json("symphony.check/1", {"tree": tree.id, "warnings": warnings, "stop": stop})
    else:
        for warning in warnings:
            note(f"symphony: warning: {warning}")
        found = f"{len(warnings)} warning{'s' if len(warnings) != 1 else ''}" if warnings else "nothing is odd"
        write_line(f"{tree.id}: {found}; a stop takes {stop}")
    return ExitCode.FAILED if warnings else ExitCode.DONE
