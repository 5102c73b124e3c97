"""Models: expensive things that are warmed, leased and cooled."""

from typing import Literal

from msgspec import Struct

from symphony.domain.ids import LeaseId

ModelState = Literal["cold", "warming", "hot", "active", "cooling", "failed"]


class ModelSpec(Struct, frozen=True):
    """A model that may be leased. `memory` is in bytes; `leases` is how many holders it serves at once."""

    name: str
    version: str
    memory: int = 0
    leases: int = 1


class Lease(Struct, frozen=True):
    """A holder's right to use a model until it is released. `granted_at` is in monotonic seconds."""

    id: LeaseId
    model: str
    holder: str
    granted_at: float


class ModelStatus(Struct, frozen=True):
    """A model as the Pool Manager sees it."""

    spec: ModelSpec
    state: ModelState
    leases: tuple[Lease, ...] = ()
    reason: str = ""
