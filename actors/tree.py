"""Symphony's supervision tree, all of it on one screen.

    /                    the kernel: parks a child that keeps failing, rather than fail itself
    ├─ /engine           node
    │  ├─ /engine/pit    pool-manager dag-tracker artifact-store arbitration-engine stale-manager
    │  ├─ /engine/conductor
    │  └─ /engine/core
    ├─ /xi               node; stands for the XI-editor process
    └─ /extensions       node; a host actor an extension, beside the registry

What a node's actors need is built in that node by a function of the composition root, which is named here and imported there
only, so that this module knows no adapter and the kernel no application code.
"""

from collections.abc import Sequence

from actors.runtime import Backoff, ChildSpec, SupervisorSpec

ROOT_INTENSITY, ROOT_PERIOD_S = 20, 60.0
NODE_BACKOFF = Backoff(max=2.0, healthy_after=5.0)
"""A node that fails again and again is still tried every 2 s, within the promised 5 s, and is parked in half a minute."""
HANG_AFTER_S = 3.0
"""For actors whose handlers only reckon. Those that wait for a disk, the editor or an extension have bounds of their own."""
EXTENSIONS_INTENSITY, EXTENSIONS_PERIOD_S = 10, 60.0
"""An extension that crashes again and again is parked; its neighbours, in the same node, must not notice."""


def symphony_tree(*, state_dir: str, xi_command: Sequence[str]) -> SupervisorSpec:
    """Give the whole tree. `state_dir` is where everything durable lies; `xi_command` starts the XI-editor."""
    return SupervisorSpec(
        "symphony",
        intensity=ROOT_INTENSITY,
        period=ROOT_PERIOD_S,
        on_exhausted="park",
        children=[_engine(state_dir), _xi(state_dir, xi_command), _extensions(state_dir)],
    )


def _engine(state_dir: str) -> SupervisorSpec:
    return SupervisorSpec(
        "engine",
        process=True,
        setup="symphony.bootstrap:set_up_engine",
        setup_args={"state_dir": state_dir},
        shutdown=5.0,
        backoff=NODE_BACKOFF,
        children=[
            SupervisorSpec("pit", children=pit_children()),
            ChildSpec("conductor", "actors.conductor:ConductorActor", hang_after=HANG_AFTER_S),
            ChildSpec("core", "actors.core:CoreActor", needs=("core",), hang_after=HANG_AFTER_S),
        ],
    )


def pit_children() -> list[ChildSpec]:
    """Give the Pit's five managers."""
    return [
        ChildSpec("pool-manager", "actors.pit.pool_manager:PoolManagerActor", hang_after=HANG_AFTER_S),
        ChildSpec("dag-tracker", "actors.pit.dag_tracker:DagTrackerActor", needs=("state_dir",)),
        ChildSpec("artifact-store", "actors.pit.artifact_store:ArtifactStoreActor", needs=("state_dir",)),
        ChildSpec("arbitration-engine", "actors.pit.arbitration_engine:ArbitrationEngineActor", hang_after=HANG_AFTER_S),
        ChildSpec("stale-manager", "actors.pit.stale_manager:StaleManagerActor", hang_after=HANG_AFTER_S),
    ]


def _xi(state_dir: str, xi_command: Sequence[str]) -> ChildSpec:
    return ChildSpec(
        "xi",
        "actors.xi_proxy.actor:XiProxyActor",
        needs=("xi_links", "journal_dir"),
        process=True,
        setup="symphony.bootstrap:set_up_xi",
        setup_args={"state_dir": state_dir, "command": list(xi_command)},
        shutdown=5.0,
        backoff=NODE_BACKOFF,
    )


def _extensions(state_dir: str) -> SupervisorSpec:
    return SupervisorSpec(
        "extensions",
        process=True,
        setup="symphony.bootstrap:set_up_extensions",
        setup_args={"state_dir": state_dir},
        intensity=EXTENSIONS_INTENSITY,
        period=EXTENSIONS_PERIOD_S,
        on_exhausted="park",
        shutdown=5.0,
        backoff=NODE_BACKOFF,
        children=[
            ChildSpec(
                "registry",
                "actors.extensions.registry:ExtensionRegistryActor",
                needs=("extension_logs", "extension_state"),
            ),
        ],
    )
