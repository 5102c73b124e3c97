"""PoolManager: who holds which model.

                 acquire                 warmed               granted
        cold ──────────────▶ warming ──────────────▶ hot ──────────────▶ active
         ▲                      │                    │ ▲                    │
         │ cooled               │ failed             │ └────────────────────┘
         │                      ▼                    │    last lease released
         │◀───────────────── failed                  ▼
         │     registered again                   cooling
         └───────────────────────────────────────────┘

Warming takes long and may fail, so it is an effect: the shell carries out `WarmModel` and feeds back `ModelWarmed` or
`ModelFailed`. A lease asked for meanwhile holds its place at once, so that a capacity is never promised twice; it is granted, or
refused, when the model's fate is known. `now` is in monotonic seconds.
"""

from collections.abc import Mapping
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from symphony.domain.errors import ConflictError, InvariantError, NotFoundError
from symphony.domain.ids import LeaseId
from symphony.domain.model import Lease, ModelSpec, ModelState, ModelStatus
from symphony.domain.pit.announcement import Announce

TRANSITIONS: Mapping[ModelState, frozenset[ModelState]] = {
    "cold": frozenset({"warming"}),
    "warming": frozenset({"hot", "failed"}),
    "hot": frozenset({"active", "cooling"}),
    "active": frozenset({"hot"}),
    "cooling": frozenset({"cold"}),
    "failed": frozenset({"cold"}),
}


class RegisterModel(Struct, frozen=True, tag=True):
    """Make a model known. Registering a failed model again, by the same spec, makes it cold: that is the way to try once more."""

    spec: ModelSpec


class AcquireModel(Struct, frozen=True, tag=True):
    """Lease the model `name` to `holder`. The shell chooses `lease`, because ids must differ from those of a life before."""

    lease: LeaseId
    name: str
    holder: str


class ReleaseModel(Struct, frozen=True, tag=True):
    """Give a lease back."""

    lease: LeaseId


class CoolIdleModels(Struct, frozen=True, tag=True):
    """Cool every model that is hot and that nobody has held for `idle_s` seconds."""

    idle_s: float


class ModelWarmed(Struct, frozen=True, tag=True):
    """`WarmModel` was carried out."""

    name: str


class ModelFailed(Struct, frozen=True, tag=True):
    """`WarmModel` could not be carried out."""

    name: str
    reason: str


class ModelCooled(Struct, frozen=True, tag=True):
    """`CoolModel` was carried out."""

    name: str


PoolEvent = RegisterModel | AcquireModel | ReleaseModel | CoolIdleModels | ModelWarmed | ModelFailed | ModelCooled


class WarmModel(Struct, frozen=True, tag=True):
    """Load the model, then feed back `ModelWarmed` or `ModelFailed`."""

    spec: ModelSpec


class CoolModel(Struct, frozen=True, tag=True):
    """Unload the model, then feed back `ModelCooled`."""

    spec: ModelSpec


class GrantLease(Struct, frozen=True, tag=True):
    """Hand the lease to whoever asked for it."""

    lease: Lease


class RefuseLease(Struct, frozen=True, tag=True):
    """Tell whoever asked for the lease that the model could not be warmed."""

    lease: LeaseId
    reason: str


PoolEffect = WarmModel | CoolModel | GrantLease | RefuseLease | Announce


class PoolManager:
    """The models and their leases. Not for use by two threads at once.

    `handle` raises `NotFoundError` for an unknown model or lease and `ConflictError` for what the present state refuses; a
    refused event changes nothing.
    """

    def __init__(self) -> None:
        self._models: dict[str, ModelStatus] = {}
        self._claims: dict[str, dict[LeaseId, str]] = {}  # model -> leases asked for and not granted yet -> holder
        self._model_of: dict[LeaseId, str] = {}
        self._idle_since: dict[str, float] = {}

    def status(self, name: str) -> ModelStatus:
        """Give the model. Raises `NotFoundError`."""
        if name not in self._models:
            raise NotFoundError(f'no model is named "{name}"; register it first')
        return self._models[name]

    def statuses(self) -> tuple[ModelStatus, ...]:
        """Give every model, sorted by name."""
        return tuple(self._models[name] for name in sorted(self._models))

    def handle(self, event: PoolEvent, now: float) -> list[PoolEffect]:  # noqa: PLR0911 - one return an event
        """Take one event at `now` and give what is to be done, in order."""
        match event:
            case RegisterModel(spec=spec):
                return self._register(spec)
            case AcquireModel(lease=lease, name=name, holder=holder):
                return self._acquire(lease, name, holder, now)
            case ReleaseModel(lease=lease):
                return self._release(lease, now)
            case CoolIdleModels(idle_s=idle_s):
                return self._cool_idle(idle_s, now)
            case ModelWarmed(name=name):
                return self._warmed(name, now)
            case ModelFailed(name=name, reason=reason):
                return self._failed(name, reason)
            case ModelCooled(name=name):
                return self._cooled(name)
            case _:
                assert_never(event)

    def check_invariants(self) -> None:
        """Raise `InvariantError` where a rule of this module is broken."""
        for name, model in self._models.items():
            claims = self._claims[name]
            if (model.state == "active") != bool(model.leases):
                raise InvariantError(f"{name} is {model.state} with {len(model.leases)} leases")
            if claims and model.state not in {"warming", "cooling"}:
                raise InvariantError(f"{name} is {model.state} and leaves {sorted(claims)} waiting")
            if len(model.leases) + len(claims) > model.spec.leases:
                raise InvariantError(f"{name} promised more than its {model.spec.leases} leases")
            if (model.state == "hot") != (name in self._idle_since):
                raise InvariantError(f"{name} is {model.state}, and its idle time is wrong")
        held = {lease.id: lease.model for model in self._models.values() for lease in model.leases}
        waiting = {lease: name for name, claims in self._claims.items() for lease in claims}
        if held | waiting != self._model_of or held.keys() & waiting.keys():
            raise InvariantError("the index of leases differs from the leases")

    def _register(self, spec: ModelSpec) -> list[PoolEffect]:
        known = self._models.get(spec.name)
        if known is None:
            self._models[spec.name] = ModelStatus(spec, "cold")
            self._claims[spec.name] = {}
            return [Announce("model.registered", spec.name)]
        if known.spec != spec:
            raise ConflictError(f'the model name "{spec.name}" is taken by version {known.spec.version}, with another spec')
        if known.state != "failed":
            return []
        self._move(spec.name, "cold")
        return [Announce("model.registered", spec.name)]

    def _acquire(self, lease: LeaseId, name: str, holder: str, now: float) -> list[PoolEffect]:
        model = self.status(name)
        if lease in self._model_of:
            raise ConflictError(f'the lease id "{lease}" is in use')
        if model.state == "failed":
            raise ConflictError(f'the model "{name}" has failed: {model.reason}; register it again to retry')
        promised = len(model.leases) + len(self._claims[name])
        if promised >= model.spec.leases:
            raise ConflictError(f'the model "{name}" serves {model.spec.leases} at once, and all are taken; release one first')
        self._model_of[lease] = name
        self._claims[name][lease] = holder
        match model.state:
            case "cold":
                self._move(name, "warming")
                return [WarmModel(model.spec)]
            case "warming" | "cooling":
                return []
            case "hot" | "active":
                return self._grant_claims(name, now)
            case _:
                assert_never(model.state)

    def _release(self, lease: LeaseId, now: float) -> list[PoolEffect]:
        name = self._model_of.get(lease)
        if name is None:
            raise NotFoundError(f'no lease has the id "{lease}"; it may have been released already')
        del self._model_of[lease]
        if self._claims[name].pop(lease, None) is not None:
            return [RefuseLease(lease, "it was given back before it was granted")]
        model = self._models[name]
        left = tuple(held for held in model.leases if held.id != lease)
        self._models[name] = replace(model, leases=left)
        if not left:
            self._move(name, "hot")
            self._idle_since[name] = now
        return [Announce("lease.released", lease)]

    def _cool_idle(self, idle_s: float, now: float) -> list[PoolEffect]:
        effects: list[PoolEffect] = []
        for name in sorted(name for name, since in self._idle_since.items() if now - since >= idle_s):
            self._move(name, "cooling")
            effects.append(CoolModel(self._models[name].spec))
        return effects

    def _warmed(self, name: str, now: float) -> list[PoolEffect]:
        self._move(name, "hot", of="warming")
        self._idle_since[name] = now
        return [Announce("model.warmed", name), *self._grant_claims(name, now)]

    def _failed(self, name: str, reason: str) -> list[PoolEffect]:
        self._move(name, "failed", of="warming", reason=reason)
        refused: list[PoolEffect] = [RefuseLease(lease, reason) for lease in self._claims[name]]
        for lease in self._claims[name]:
            del self._model_of[lease]
        self._claims[name].clear()
        return [*refused, Announce("model.failed", name)]

    def _cooled(self, name: str) -> list[PoolEffect]:
        self._move(name, "cold", of="cooling")
        effects: list[PoolEffect] = [Announce("model.cooled", name)]
        if self._claims[name]:
            self._move(name, "warming")
            effects.append(WarmModel(self._models[name].spec))
        return effects

    def _grant_claims(self, name: str, now: float) -> list[PoolEffect]:
        claims = self._claims[name]
        if not claims:
            return []
        granted = tuple(Lease(lease, name, holder, now) for lease, holder in claims.items())
        claims.clear()
        if self._models[name].state == "hot":
            self._move(name, "active")
        model = self._models[name]
        self._models[name] = replace(model, leases=model.leases + granted)
        return [effect for lease in granted for effect in (GrantLease(lease), Announce("lease.granted", lease.id))]

    def _move(self, name: str, to: ModelState, *, of: ModelState | None = None, reason: str = "") -> None:
        """Move a model; one that reports on what it was told to do must still be at it, in the state `of`."""
        model = self.status(name)
        if to not in TRANSITIONS[model.state] or of not in {None, model.state}:
            raise ConflictError(f'the model "{name}" is {model.state} and cannot become {to}')
        self._models[name] = replace(model, state=to, reason=reason)
        self._idle_since.pop(name, None)
