"""Specs: the supervision tree as data, checked when it is built, with every default in this one place.

A spec names an actor by its import path, so that it can be handed to another process; a class given instead is turned into its
path. `SpecError` lists every problem of a spec at once, as `field: value: rule`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
from msgspec import Struct, structs

from ..address import is_name
from ..errors import SpecError

RestartType = Literal["permanent", "transient", "temporary"]
Strategy = Literal["one_for_one", "one_for_all", "rest_for_one", "dynamic"]
AutoShutdown = Literal["never", "any_significant", "all_significant"]
OnExhausted = Literal["escalate", "park"]
Shutdown = float | Literal["kill", "infinity"]

NAME_RULE = "letters, digits, `.`, `_` and `-`"
HEARTBEAT_TIMEOUT_S = 3.0


class Backoff(Struct, frozen=True):
    """How long to wait before a restart, in seconds.

    The first restart is at once. The k-th failure in a row waits `min * factor**(k - 2)`, `max` at most, of which the share
    `jitter` is drawn by chance. A child that has been running for `healthy_after` seconds starts afresh.
    """

    min: float = 0.1
    max: float = 5.0
    factor: float = 2.0
    jitter: float = 1.0
    healthy_after: float = 10.0


class RestartLimit(Struct, frozen=True):
    """A child's own limit: more than `intensity` restarts within `period` seconds park it, or fail its supervisor."""

    intensity: int
    period: float
    then: OnExhausted = "park"


class ChildSpec(Struct, frozen=True, tag="child"):
    """One actor of a tree.

    `actor` is a class or its import path (`package.module:Class`); `args` and `kwargs` are plain data; `needs` are names of
    parts that the node's `setup` builds and that are passed as keyword arguments. `process=True` gives the actor a node, an OS
    process, of its own. `shutdown` and `start_timeout` are in seconds; a node is told to leave at once (SIGTERM) shortly before
    its `shutdown` is over, and killed when it is. `dispatcher` overrides the class's own.

    Neighbours of the same `layer` start together and stop together. A `significant` child that ends by itself may end its
    supervisor (`auto_shutdown`). `limit` is the child's own, beside its supervisor's. `heartbeat_timeout` is how many seconds the
    process of a node may be silent before it counts as hung, `hang_after` how many a handler may run, or a message wait without
    any progress, before the actor does; None is no bound. Waits that the runtime knows of do not count. A coroutine that awaits
    never counts as hung: bound it where it waits (`asyncio.timeout`); of an `async` actor, what is found is a loop that does not
    turn.
    """

    id: str
    actor: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    needs: tuple[str, ...] = ()
    process: bool = False
    restart: RestartType = "permanent"
    shutdown: Shutdown = 2.0
    start_timeout: float = 10.0
    backoff: Backoff = Backoff()
    dispatcher: Literal["shared", "pinned", "async"] | None = None
    setup: str | None = None
    setup_args: dict[str, Any] = {}
    significant: bool = False
    layer: int | None = None
    limit: RestartLimit | None = None
    heartbeat_timeout: float | None = HEARTBEAT_TIMEOUT_S
    hang_after: float | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,  # noqa: A002  # the field's word, and a contract of ours
            actor: str | type[Any],
            args: tuple[Any, ...] = ...,
            kwargs: dict[str, Any] = ...,
            needs: tuple[str, ...] = ...,
            process: bool = ...,
            restart: RestartType = ...,
            shutdown: Shutdown = ...,
            start_timeout: float = ...,
            backoff: Backoff = ...,
            dispatcher: Literal["shared", "pinned", "async"] | None = ...,
            setup: str | None = ...,
            setup_args: dict[str, Any] = ...,
            significant: bool = ...,
            layer: int | None = ...,
            limit: RestartLimit | None = ...,
            heartbeat_timeout: float | None = ...,
            hang_after: float | None = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        problems = _Problems()
        problems.check("id", self.id, _is_name(self.id), NAME_RULE)
        actor: object = self.actor
        if isinstance(actor, type):
            problems.check("actor", actor, _is_actor(actor), "a subclass of actors.runtime.Actor")
            structs.force_setattr(self, "actor", import_path_of(actor))
        problems.check("actor", self.actor, _is_import_path(self.actor), "a class, or `package.module:Class`")
        for field in ("args", "needs"):
            given: object = getattr(self, field)
            problems.check(field, given, isinstance(given, list | tuple), "a list or tuple")
            structs.force_setattr(self, field, tuple(given) if isinstance(given, list | tuple) else ())
        problems.check("needs", self.needs, all(isinstance(need, str) for need in self.needs), "names of the setup's parts")
        problems.check("process", self.process, isinstance(self.process, bool), "True or False")
        if self.process:
            in_main = str(self.actor).startswith("__main__:")
            problems.check(
                "actor", self.actor, not in_main, "other processes do not import `__main__`: move the class to a module"
            )
            in_function = "<locals>" in str(self.actor)
            problems.check(
                "actor", self.actor, not in_function, "a class inside a function cannot be imported: move it to a module"
            )
        problems.check("restart", self.restart, self.restart in ("permanent", "transient", "temporary"), _TYPES)
        problems.check("dispatcher", self.dispatcher, self.dispatcher in (None, "shared", "pinned", "async"), _DISPATCHERS)
        problems.check_bounds(self.shutdown, self.start_timeout, self.backoff)
        problems.check_place(self)
        problems.check_seconds("hang_after", self.hang_after)
        problems.check_setup(self.setup, self.process)
        problems.check_plain("args", self.args)
        problems.check_keywords("kwargs", self.kwargs)
        problems.check_keywords("setup_args", self.setup_args)
        problems.raise_if_any(f"child {self.id!r}")


class SupervisorSpec(Struct, frozen=True, tag="supervisor"):
    """A supervisor and its children, in start order.

    When a child fails, `one_for_one` restarts it, `one_for_all` every child, and `rest_for_one` it and those after it; `dynamic`
    has one child spec, the template of children that are started one by one. More than `intensity` restarts within `period`
    seconds are too many; `on_exhausted` decides what then. `escalate` counts those of all children and fails the supervisor
    itself; `park` counts the child's own and leaves that child stopped, visibly, until somebody restarts it. `auto_shutdown` ends
    the supervisor when any of its significant children has ended by itself, or all have. `process=True` gives the supervisor and
    all below it a node, whose parts `setup` (an import path) builds from `setup_args`; the other fields are as a `ChildSpec`'s.
    """

    id: str
    children: tuple["ChildSpec | SupervisorSpec", ...] = ()
    strategy: Strategy = "one_for_one"
    intensity: int = 3
    period: float = 5.0
    process: bool = False
    restart: RestartType = "permanent"
    shutdown: Shutdown = "infinity"
    start_timeout: float = 30.0
    backoff: Backoff = Backoff()
    on_exhausted: OnExhausted = "escalate"
    setup: str | None = None
    setup_args: dict[str, Any] = {}
    significant: bool = False
    layer: int | None = None
    limit: RestartLimit | None = None
    heartbeat_timeout: float | None = HEARTBEAT_TIMEOUT_S
    auto_shutdown: AutoShutdown = "never"

    if TYPE_CHECKING:

        def __init__(
            self,
            id: str,  # noqa: A002  # the field's word, and a contract of ours
            children: "Sequence[ChildSpec | SupervisorSpec]" = ...,
            strategy: Strategy = ...,
            intensity: int = ...,
            period: float = ...,
            process: bool = ...,
            restart: RestartType = ...,
            shutdown: Shutdown = ...,
            start_timeout: float = ...,
            backoff: Backoff = ...,
            on_exhausted: OnExhausted = ...,
            setup: str | None = ...,
            setup_args: dict[str, Any] = ...,
            significant: bool = ...,
            layer: int | None = ...,
            limit: RestartLimit | None = ...,
            heartbeat_timeout: float | None = ...,
            auto_shutdown: AutoShutdown = ...,
        ) -> None: ...

    def __post_init__(self) -> None:
        problems = _Problems()
        problems.check("id", self.id, _is_name(self.id), NAME_RULE)
        children: object = self.children
        problems.check("children", children, isinstance(children, list | tuple), "a list or tuple of specs")
        structs.force_setattr(self, "children", tuple(children) if isinstance(children, list | tuple) else ())
        problems.check("process", self.process, isinstance(self.process, bool), "True or False")
        problems.check("strategy", self.strategy, self.strategy in get_args(Strategy), _STRATEGIES)
        problems.check("auto_shutdown", self.auto_shutdown, self.auto_shutdown in get_args(AutoShutdown), _AUTO_SHUTDOWNS)
        problems.check("intensity", self.intensity, _is_whole(self.intensity) and self.intensity >= 0, _WHOLE)
        problems.check("period", self.period, _is_number(self.period) and self.period > 0, "seconds, more than 0")
        problems.check("restart", self.restart, self.restart in ("permanent", "transient", "temporary"), _TYPES)
        problems.check("on_exhausted", self.on_exhausted, self.on_exhausted in ("escalate", "park"), "escalate or park")
        problems.check_bounds(self.shutdown, self.start_timeout, self.backoff)
        problems.check_place(self)
        problems.check_setup(self.setup, self.process)
        problems.check_keywords("setup_args", self.setup_args)
        problems.check_template(self)
        problems.check_children(self.children, inside_process=self.process)
        problems.raise_if_any(f"supervisor {self.id!r}")


AnySpec = ChildSpec | SupervisorSpec

_STRATEGIES = "one_for_one, one_for_all, rest_for_one or dynamic"
_AUTO_SHUTDOWNS = "never, any_significant or all_significant"
_WHOLE = "a whole number, 0 or more"
_TYPES = "permanent, transient or temporary"
_DISPATCHERS = "shared, pinned or async"


class _Problems:
    """Collects what is wrong with one spec."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def check(self, field: str, value: object, holds: bool, rule: str) -> None:
        if not holds:
            self._found.append(f"{field}: {_shown(value)}: {rule}")

    def check_bounds(self, shutdown: Any, start_timeout: Any, backoff: object) -> None:
        fits = shutdown in ("kill", "infinity") or (_is_number(shutdown) and shutdown >= 0)
        self.check("shutdown", shutdown, fits, 'seconds, "kill" or "infinity"')
        bounded = _is_number(start_timeout) and start_timeout > 0
        self.check("start_timeout", start_timeout, bounded, "seconds, more than 0")
        if not isinstance(backoff, Backoff):
            self.check("backoff", backoff, False, "a Backoff")
            return
        least, most, healthy_after = backoff.min, backoff.max, backoff.healthy_after
        self.check("backoff.max", most, _is_number(most) and most >= 0, "seconds, 0 or more")
        fits = _is_number(least) and least >= 0 and not (_is_number(most) and least > most)
        self.check("backoff.min", least, fits, "seconds, 0 to `max`")
        self.check("backoff.factor", backoff.factor, _is_number(backoff.factor) and backoff.factor >= 1, "1 or more")
        self.check("backoff.jitter", backoff.jitter, _is_number(backoff.jitter) and 0 <= backoff.jitter <= 1, "a share, 0 to 1")
        self.check("backoff.healthy_after", healthy_after, _is_number(healthy_after) and healthy_after >= 0, "seconds, 0 or more")

    def check_seconds(self, field: str, value: Any) -> None:
        self.check(field, value, value is None or (_is_number(value) and value > 0), "seconds, more than 0, or None for no bound")

    def check_place(self, spec: "AnySpec") -> None:
        """Check what a child of either kind says of its place among its siblings."""
        self.check("significant", spec.significant, isinstance(spec.significant, bool), "True or False")
        ends_by_itself = spec.significant is not True or spec.restart != "permanent"
        self.check("significant", spec.significant, ends_by_itself, "only a transient or temporary child ends by itself")
        self.check("layer", spec.layer, spec.layer is None or _is_whole(spec.layer), "a whole number, or None for one of its own")
        self.check_seconds("heartbeat_timeout", spec.heartbeat_timeout)
        limit: object = spec.limit
        if isinstance(limit, RestartLimit):
            self.check("limit.intensity", limit.intensity, _is_whole(limit.intensity) and limit.intensity >= 0, _WHOLE)
            self.check("limit.period", limit.period, _is_number(limit.period) and limit.period > 0, "seconds, more than 0")
            self.check("limit.then", limit.then, limit.then in get_args(OnExhausted), "escalate or park")
        else:
            self.check("limit", limit, limit is None, "a RestartLimit, or None")

    def check_template(self, spec: SupervisorSpec) -> None:
        if spec.strategy == "dynamic":
            rule = "one, the template of all children"
            self.check("children", len(spec.children), len(spec.children) == 1, rule)

    def check_setup(self, setup: object, process: bool) -> None:
        if setup is not None:
            self.check("setup", setup, _is_import_path(setup), "`package.module:function`")
            self.check("setup", setup, process, "only a node (`process=True`) has a setup")

    def check_plain(self, field: str, value: object) -> None:
        try:
            msgspec.msgpack.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            self.check(field, value, False, f"plain data, so that it can be handed to another process ({error})")

    def check_keywords(self, field: str, value: object) -> None:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            self.check_plain(field, value)
        else:
            self.check(field, value, False, "a dict with text keys")

    def check_children(self, children: tuple[object, ...], *, inside_process: bool) -> None:
        ids: set[str] = set()
        layers: list[int | None] = []
        for number, child in enumerate(children):
            if not isinstance(child, ChildSpec | SupervisorSpec):
                self.check(f"children[{number}]", child, False, "a ChildSpec or a SupervisorSpec")
                continue
            self.check(f"children[{number}].id", child.id, child.id not in ids, "used once among its siblings")
            ids.add(child.id)
            is_new = child.layer is None or child.layer not in layers[:-1]
            self.check(f"children[{number}].layer", child.layer, is_new, "the same for neighbours only")
            if not layers or child.layer is None or child.layer != layers[-1]:
                layers.append(child.layer)
            if inside_process and has_process(child):
                self.check(f"children[{number}].process", True, False, "a node inside a node is not built yet")

    def raise_if_any(self, whose: str) -> None:
        if self._found:
            raise SpecError(*(f"{whose}: {problem}" for problem in self._found))


def has_process(spec: AnySpec) -> bool:
    """Tell whether `spec` or anything below it is a node."""
    return spec.process or (isinstance(spec, SupervisorSpec) and any(has_process(child) for child in spec.children))


def import_path_of(actor: type) -> str:
    """Give a class's import path."""
    return f"{actor.__module__}:{actor.__qualname__}"


def encode_spec(spec: AnySpec) -> bytes:
    """Give a spec as bytes for another process."""
    return msgspec.msgpack.encode(spec)


def decode_spec(data: bytes) -> AnySpec:
    """Give the spec of `encode_spec`'s bytes. Raises `SpecError` where they are none."""
    try:
        spec: AnySpec = msgspec.msgpack.decode(data, type=AnySpec)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SpecError(f"no spec: {error}") from error
    return spec


def _is_import_path(value: object) -> bool:
    if not isinstance(value, str):
        return False
    module, colon, name = value.partition(":")
    parts = (*module.split("."), *name.replace(".<locals>", "").split("."))
    return bool(colon) and all(part.isidentifier() for part in parts)


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # a value that cannot show itself (nested too deep, say) is named by its type
        return f"<{type(value).__name__}>"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and is_name(value)


def _is_actor(actor: type) -> bool:
    # By name: the class itself would bring threads along, and specs are data.
    return any(import_path_of(ancestor) == "actors.runtime.actor:Actor" for ancestor in actor.__mro__)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
