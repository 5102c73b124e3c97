"""The trees whose restarts are measured, by name, as plans for a warden."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.supervision.spec import Backoff, ChildSpec, SupervisorSpec, decode_spec, encode_spec
from symphony.bootstrap import PACKAGES, kernel_plan
from symphony.settings import Settings

TIRELESS = 1_000_000_000
AT_ONCE = Backoff(healthy_after=0.0)
"""Every failure counts as a first one, and is answered at once."""
NO_WAIT = Backoff(min=0.0, max=0.0)
STORM_CHILDREN, STORM_LIMIT = 20, 50
STORM_BACKOFF = Backoff(min=0.1, max=0.1, factor=1.0, jitter=0.0)
CRASH_AFTER_S = 0.05
HANG_S = 3.0
GO = "go"
"""The file of the run directory from which on the actors that fail do so."""
ACTORS = "benchmarks.restart_actors"


def plan_of(name: str, run_dir: str) -> KernelPlan:
    """Give the plan of the tree with that name."""
    if name in ("symphony", "symphony_spare"):
        plan = kernel_plan(Settings(run_dir=run_dir, state_dir=f"{run_dir}/state"))
        tree = decode_spec(plan.spec)
        assert isinstance(tree, SupervisorSpec)
        at_once = tuple(replace(child, backoff=AT_ONCE) for child in tree.children)
        plan = replace(plan, spec=encode_spec(replace(tree, intensity=TIRELESS, children=at_once)))
        return replace(plan, spares=1) if name == "symphony_spare" else plan
    root = SupervisorSpec("root", TREES[name](f"{run_dir}/{GO}"), intensity=TIRELESS, period=60.0, on_exhausted="park")
    return KernelPlan(name, run_dir, encode_spec(root), (*PACKAGES, "benchmarks"), (ACTORS,))


def _one(actor: str) -> list[ChildSpec | SupervisorSpec]:
    return [ChildSpec("one", f"{ACTORS}:{actor}", process=True, backoff=AT_ONCE)]


def _hanging() -> list[ChildSpec | SupervisorSpec]:
    return [
        ChildSpec(
            "one",
            f"{ACTORS}:HangingActor",
            process=True,
            backoff=AT_ONCE,
            hang_after=HANG_S,
            heartbeat_timeout=HANG_S,
        )
    ]


def _storm_of_processes(intensity: int, go: str) -> list[ChildSpec | SupervisorSpec]:
    crashing = [
        ChildSpec(f"c{number}", f"{ACTORS}:CrashingActor", (CRASH_AFTER_S, go), process=True, backoff=STORM_BACKOFF)
        for number in range(STORM_CHILDREN)
    ]
    # Temporary: one that has failed stays so, and its exit can be looked at.
    return [SupervisorSpec("storm", crashing, intensity=intensity, period=3600.0, restart="temporary")]


def _storm_of_actors(go: str) -> list[ChildSpec | SupervisorSpec]:
    failing = [
        ChildSpec(f"c{number}", f"{ACTORS}:FailingActor", (CRASH_AFTER_S, go), backoff=STORM_BACKOFF)
        for number in range(STORM_CHILDREN)
    ]
    return [SupervisorSpec("storm", failing, process=True, intensity=TIRELESS, period=3600.0)]


def _dying_processes(go: str) -> list[ChildSpec | SupervisorSpec]:
    return [ChildSpec(f"p{number}", f"{ACTORS}:CrashingActor", (0.001, go), process=True, backoff=NO_WAIT) for number in range(2)]


def _failing_actors(go: str) -> list[ChildSpec | SupervisorSpec]:
    failing = [ChildSpec("actor", f"{ACTORS}:FailingActor", (0.0005, go), backoff=NO_WAIT)]
    return [SupervisorSpec("node", failing, process=True, intensity=TIRELESS, period=60.0)]


TREES: Mapping[str, Callable[[str], list[ChildSpec | SupervisorSpec]]] = MappingProxyType(
    {
        "parent": lambda _: _one("ParentActor"),
        "family": lambda _: _one("FamilyActor"),
        "hanging": lambda _: _hanging(),
        "storm_of_actors": _storm_of_actors,
        "storm_of_processes": lambda go: _storm_of_processes(TIRELESS, go),
        "limited_storm_of_processes": lambda go: _storm_of_processes(STORM_LIMIT, go),
        "dying_processes": _dying_processes,
        "failing_actors": _failing_actors,
    }
)
