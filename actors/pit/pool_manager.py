"""PoolManagerActor: a mailbox round the PoolManager.

What a model's loader does is still to be given by Instrument extensions; until there are any, a model has nothing to load, so
warming one is done as soon as it is asked for. Leases end with this process.
"""

from typing import Any, ClassVar, assert_never
from uuid import uuid4

from actors.runtime import Actor
from symphony.domain.errors import ConflictError, SymphonyError
from symphony.domain.ids import LeaseId
from symphony.domain.model import Lease, ModelStatus
from symphony.domain.pit import pool_manager
from symphony.domain.pit.announcement import Announce
from symphony.domain.pit.pool_manager import PoolManager

from .messages import AcquireModel, ListModels, RegisterModel, ReleaseModel


class PoolManagerActor(Actor):
    """Who holds which model."""

    messages: ClassVar = (RegisterModel, AcquireModel, ReleaseModel, ListModels)
    expected_errors: ClassVar = (SymphonyError,)

    def on_start(self) -> None:
        """Begin with no models: whoever needs one registers it."""
        self._pool = PoolManager()

    def on_receive(self, message: Any) -> ModelStatus | Lease | tuple[ModelStatus, ...]:
        """Handle one request of `actors.pit.messages`."""
        match message:
            case RegisterModel(spec):
                self._handle(pool_manager.RegisterModel(spec))
                return self._pool.status(spec.name)
            case AcquireModel(name, holder):
                return self._acquire(name, holder)
            case ReleaseModel(lease):
                return self._release(lease)
            case ListModels():
                return self._pool.statuses()
            case _:
                return super().on_receive(message)  # type: ignore[no-any-return]  # it raises

    def _acquire(self, name: str, holder: str) -> Lease:
        lease = LeaseId(uuid4().hex)
        for effect in self._handle(pool_manager.AcquireModel(lease, name, holder)):
            if isinstance(effect, pool_manager.GrantLease) and effect.lease.id == lease:
                return effect.lease
        raise ConflictError(f"the model {name!r} has failed: {self._pool.status(name).reason}")

    def _release(self, lease: LeaseId) -> ModelStatus:
        name = next((status.spec.name for status in self._pool.statuses() for held in status.leases if held.id == lease), "")
        self._handle(pool_manager.ReleaseModel(lease))
        return self._pool.status(name)

    def _handle(self, event: pool_manager.PoolEvent) -> list[pool_manager.PoolEffect]:
        """Carry out what follows from `event` to its end, and give all of it."""
        done: list[pool_manager.PoolEffect] = []
        now = self.context.clock.monotonic()
        waiting = self._pool.handle(event, now)
        while waiting:
            effect = waiting.pop(0)
            done.append(effect)
            match effect:
                case pool_manager.WarmModel(spec):
                    waiting += self._pool.handle(pool_manager.ModelWarmed(spec.name), now)
                case pool_manager.CoolModel(spec):
                    waiting += self._pool.handle(pool_manager.ModelCooled(spec.name), now)
                case Announce(kind, subject):
                    self.context.publish(kind, subject=subject)
                case pool_manager.GrantLease() | pool_manager.RefuseLease():
                    pass  # for whoever asked
                case _:
                    assert_never(effect)
        return done
