"""The composition root: the only module that names concrete adapters, and builds what each node's actors need.

`kernel_plan` runs in the command line's process and builds nothing: the plan names the set-up functions below, and each node
calls its own, in its own process, once a life. They import what they build, so that the warden, which only makes the plan,
stays small.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.node_process.system import SetupContext
from actors.runtime.supervision.spec import SupervisorSpec, encode_spec
from actors.tree import symphony_tree
from symphony.settings import Settings

PACKAGES = ("symphony", "actors", "adapters", "xi")
PRELOADED = (
    "symphony.bootstrap",
    "symphony.orchestration.symphony_core",
    "adapters.conductor.python",
    "adapters.extension.actor_hosted",
    "adapters.pit.actor_backed",
    "adapters.text_editing.xi_editor",
    "adapters.text_editing.xi_link",
)
"""What the fork server imports beforehand, besides the actors' own modules, so that a node is up in tens of milliseconds: imports
are nearly all that its start would take otherwise. None of it may start a thread."""


def kernel_plan(settings: Settings) -> KernelPlan:
    """Give what a warden needs to run Symphony's tree."""
    tree = symphony_tree(state_dir=settings.state_dir, xi_command=settings.xi_command)
    return KernelPlan(
        "symphony",
        settings.run_dir,
        encode_spec(tree),
        PACKAGES,
        (*PRELOADED, *sorted(_modules_of(tree))),
        allow_fault_injection=settings.allow_fault_injection,
        spares=settings.warm_spares,
    )


def _modules_of(spec: SupervisorSpec) -> set[str]:
    """Give the modules that the actors of a tree come from."""
    found = set[str]()
    for child in spec.children:
        found |= _modules_of(child) if isinstance(child, SupervisorSpec) else {child.actor.partition(":")[0]}
    return found


def set_up_engine(context: SetupContext, *, state_dir: str) -> Mapping[str, object]:
    """Build what the engine's actors need: where their state lies, and the core with its four ports."""
    from adapters.conductor.python import PythonConductorAdapter
    from adapters.extension.actor_hosted import ActorExtensionAdapter
    from adapters.pit.actor_backed import PitAdapter
    from adapters.text_editing.xi_editor import XiEditorAdapter
    from symphony.orchestration.symphony_core import SymphonyCore

    def report(type_: str, **fields: str | int) -> None:
        context.publish(type_, "/engine/core", **fields)

    core = SymphonyCore(
        text=XiEditorAdapter(context.ref("/xi")),
        pit=PitAdapter(context.ref, context.listen),
        extensions=ActorExtensionAdapter(context.ref),
        conductor=PythonConductorAdapter(context.ref("/engine/conductor"), context.listen),
        clock=context.clock,
        report=report,
    )
    return {"state_dir": _folder(state_dir, "pit"), "core": core}


def set_up_xi(context: SetupContext, *, state_dir: str, command: Sequence[str]) -> Mapping[str, object]:
    """Build what the xi proxy needs: links to the configured executable, and where its journals lie."""
    from adapters.text_editing.xi_link import XiLinks

    links = XiLinks(tuple(command), log_file=str(_folder(context.run_dir, "logs") / "xi.log"))
    return {"xi_links": links, "journal_dir": _folder(state_dir, "journals")}


def set_up_extensions(context: SetupContext, *, state_dir: str) -> Mapping[str, object]:
    """Build what the extension host needs: where workers' logs go, and where it writes down what is installed."""
    return {"extension_logs": _folder(context.run_dir, "logs"), "extension_state": _folder(state_dir, "extensions")}


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
