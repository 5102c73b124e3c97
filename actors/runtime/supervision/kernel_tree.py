"""Kernel tree: what a tree must be so that a kernel can run it: no actor of it lives in the kernel itself.

The kernel is the one process that must never crash or hang, so it runs supervisors and nothing else. An actor that is in no node
is refused when the tree is loaded rather than given a node of its own in silence: a process costs tens of milliseconds and
megabytes, and plain data as arguments, which is for the tree's author to choose.
"""

from collections.abc import Iterator

from ..address import ROOT, ActorPath, child_path
from ..errors import SpecError
from .spec import AnySpec, SupervisorSpec


def check_kernel_tree(root: AnySpec) -> SupervisorSpec:
    """Give `root` if it can be the root of a kernel. Raises `SpecError` with every problem, each naming the path it is about."""
    if not isinstance(root, SupervisorSpec):
        raise SpecError(f"{root.id!r}: a tree is a SupervisorSpec, and this is a ChildSpec: make it the child of one")
    problems = [*_root_problems(root), *_strays(root, ROOT)]
    if problems:
        raise SpecError(*problems)
    return root


def _root_problems(root: SupervisorSpec) -> Iterator[str]:
    if root.process:
        yield "/: process: True: the root lives in the kernel's own process: give `process=True` to its children instead"


def _strays(supervisor: SupervisorSpec, path: ActorPath) -> Iterator[str]:
    for child in supervisor.children:
        place = child_path(path, child.id)
        if child.process:
            continue
        if isinstance(child, SupervisorSpec):
            yield from _strays(child, place)
        else:
            yield (
                f"{place}: process: False: no actor runs in the kernel: give it `process=True`, "
                "or put it below a supervisor that has that"
            )
