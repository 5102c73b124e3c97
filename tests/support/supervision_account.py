"""Account: what is known of one supervisor by whoever hears what its machine is told, and by the rules has to follow from it.

It never looks at what the machine remembers, so that a machine that forgets or miscounts is found out. The rules are those that a
user of the tree relies on; `supervision_referee` holds the machine's answers against the account.

Times are exact in binary (quarters of a second, say), so that both sides of a window's edge can be met.
"""

from dataclasses import dataclass, field
from itertools import groupby

from actors.runtime.supervision import effects as fx

GROUPS = ("one_for_all", "rest_for_one")
ORDINARY = ("normal", "shutdown")


@dataclass(slots=True)
class Known:
    """What is known of a child from outside.

    `doomed` says why it has to end: "again", "parked", "stopped" or "gone"; `told` whether it has been asked to, and `alone`
    where that was by somebody's order. `rests` says why it may stay down: "finished", "parked", "ordered" or "closed".
    """

    spec: object
    number: int = 0
    alive: bool = False
    ready: bool = False
    told: bool = False
    alone: bool = False
    doomed: str | None = None
    rests: str | None = None
    pending: bool = False
    has_run: bool = False
    has_come: bool = False
    on_trial: bool = False
    failures: int = 0
    ready_at: float = 0.0
    own: list[float] = field(default_factory=list)


class Account:
    """One supervisor's account. Say what the machine is told by `is_told_...`, each time before it is."""

    def __init__(self, spec, *, again=False):
        self.spec = spec
        self.again = again
        children = () if spec.strategy == "dynamic" else spec.children
        self.children = {child.id: Known(child, has_run=again) for child in children}
        self.closing = None
        self.culprit = None
        self.ready_said = False
        self.restarts = []
        self._due = []
        self._by_verb = self._added = self._left_early = None
        self._is_first_start = not again
        self._leaving = set()
        self._paused_s, self._paused_since = 0.0, None
        self._places()
        self._together, self._told_before = dict(self._place), set()

    @property
    def living(self):
        """The children that have a life now, with its number."""
        return {name: known.number for name, known in self.children.items() if known.alive}

    def is_told_ready(self, name, number, now):
        known = self._living(name, number)
        if known is None or known.ready or known.told:
            return
        self._due.append(fx.Note(name, "restarted" if known.has_run else "started", number))
        known.ready, known.ready_at, known.has_run, known.has_come, known.on_trial = True, now, True, True, False

    def is_told_exited(self, name, number, ended, now, chance):
        known = self._living(name, number)
        if known is None:
            return
        self._due.append(fx.Note(name, "exited", number))
        was_ready, doomed = known.ready, known.doomed
        known.has_come = known.has_come or known.has_run
        known.alive = known.ready = known.told = known.alone = False
        known.doomed = None
        self._left(name, now)
        if self.closing is not None:
            known.rests = known.rests or "closed"
        elif doomed == "gone":
            self._due.append(fx.Discard(name))
        elif doomed == "stopped":
            known.rests = "ordered"
            self._due.append(fx.Stopped(name))
        elif doomed == "parked":
            known.rests = "parked"
        elif doomed is None:
            self._judge(name, known, ended, now, chance, was_ready=was_ready)

    def is_told_due(self, name, number):
        known = self.children.get(name)
        if known is not None and known.pending and known.number == number:
            known.pending = False

    def is_told_stop(self):
        if self.closing is None:
            self._close("order")

    def is_told_to_end(self, name, then):
        """Take the order to stop a child, or to remove it (`then` is "stopped" or "gone")."""
        known = self._for_verb(name)
        if known is None:
            return
        if known.alive:
            known.doomed = "gone" if known.doomed == "gone" else then
            return
        self._cancelled(name, known)
        if then == "stopped":
            known.rests = "ordered"
        self._due.append(fx.Stopped(name) if then == "stopped" else fx.Discard(name))

    def is_told_to_start(self, name):
        known = self._for_verb(name)
        if known is None:
            return
        together = "parked" in (known.rests, known.doomed) and self.spec.strategy in GROUPS
        for one_name, one in self.children.items():
            if one is not known and not (together and "parked" in (one.rests, one.doomed)):
                continue
            if one.alive and one.doomed not in ("stopped", "parked"):
                continue
            self._cancelled(one_name, one)
            one.rests, one.failures, one.own = None, 0, []
            one.doomed = "again" if one.alive else None

    def is_told_to_restart(self, name, now):
        known = self._for_verb(name)
        if known is None:
            return
        if not known.alive or known.told:
            self.is_told_to_start(name)
            return
        known.doomed = known.doomed or "again"
        self._doom_group(name, "again", now)

    def is_told_to_add(self, spec, name):
        if self.ready_said and self.closing is None:
            self.children[name] = Known(spec)
            self._added = name
            self._places()

    def is_told_to_reload(self, spec, now):
        """Take a new spec, in which a child has changed if its `args` have."""
        if self.closing is not None or self.spec.strategy == "dynamic":
            return
        self._is_first_start = False
        new = {child.id: child for child in spec.children}
        gone = [child.id for child in self.spec.children if child.id not in new]
        self.spec, before = spec, self.children
        self._by_verb = "*"
        for name in gone:
            if name in before:
                self.is_told_to_end(name, "gone")
        self._by_verb = "*"
        self.children = {name: before.get(name) or Known(new[name], on_trial=True) for name in new}
        self.children |= {name: known for name, known in before.items() if name not in new}
        changed = []
        for name, child in new.items():
            known = self.children[name]
            if getattr(known.spec, "args", None) != getattr(child, "args", None):
                changed.append(name)
                known.on_trial = True
            known.spec = child
            known.doomed = "again" if known.doomed == "gone" else known.doomed
        self._places()
        for name in changed:
            known = self.children[name]
            if known.alive:
                known.doomed = known.doomed or "again"
        for name in changed:
            known = self.children[name]
            if known.alive:
                self._doom_group(name, "again", now)
        for name in changed:
            known = self.children[name]
            if not known.alive and (known.pending or known.rests == "parked"):
                self.is_told_to_start(name)
        self._by_verb = "*"

    def _judge(self, name, known, ended, now, chance, *, was_ready):
        if not known.has_run:
            limit = known.spec.limit
            may_restart = self.spec.intensity > 0 and (limit is None or limit.intensity > 0) and known.spec.restart != "temporary"
            is_first_try = ended.reason == "killed" and may_restart and known.failures == 0
            is_named = self.spec.strategy != "dynamic" and name in {child.id for child in self.spec.children}
            if self.ready_said and not is_named:
                self._due.append(fx.Discard(name))
                return
            if not self.ready_said and not is_first_try:
                self._close("start_failed", name, ended)
                return
        kind = known.spec.restart
        if kind == "temporary" or (kind == "transient" and ended.reason in ORDINARY):
            self._leaves(name, known)
            return
        is_healthy = was_ready and now - known.ready_at >= known.spec.backoff.healthy_after
        known.failures = 1 if is_healthy else known.failures + 1
        at = now - self._paused_s - (0.0 if self._paused_since is None else now - self._paused_since)
        known.own.append(at)
        then, count = self._exhausted(known, at)
        if then == "escalate":
            self._due.append(fx.Escalate(name, count))
            self._close("failed", name, ended)
        elif then == "park":
            known.rests, known.has_come = "parked", True
            self._due.append(fx.Parked(name, count))
            self._doom_group(name, "parked", now)
        else:
            delay_s = self._delay(known, chance)
            if delay_s > 0:
                self._due.append(fx.Schedule(name, known.number, delay_s))
            elif (self.ready_said or known.has_come) and self.spec.strategy not in GROUPS:
                self._due.append(fx.Begin(name, known.number + 1))
            if was_ready:
                self._doom_group(name, "again", now)

    def _leaves(self, name, known):
        if known.spec.restart == "temporary" or self.spec.strategy == "dynamic":
            self._due.append(fx.Discard(name))
        else:
            self._due.append(fx.Stopped(name))
        known.rests = "finished"
        if self.ready_said:
            self._shuts_down_after(name, known)
        elif known.spec.significant:
            self._left_early = (name, known)

    def is_up(self):
        """Take note that the supervisor is ready, which may be all that it has waited for to stop."""
        self.ready_said, self._is_first_start = True, False
        if self._left_early is not None and self._left_early[1].rests == "finished":
            self._shuts_down_after(*self._left_early)

    def _shuts_down_after(self, name, known):
        others = [one for one in self.children.values() if one is not known and one.spec.significant]
        wants = {"never": False, "any_significant": True, "all_significant": all(one.rests for one in others)}
        if known.spec.significant and wants[self.spec.auto_shutdown]:
            self._due.append(fx.ShutDown(name))
            self._close("shut_down")

    def _exhausted(self, known, at):
        """Give what follows and after how many restarts; of those, no more are remembered than it takes to pass a limit."""
        limit, spec = known.spec.limit, self.spec
        remembered = max(spec.intensity, 0 if limit is None else limit.intensity) + 1
        if limit is not None:
            count = min(remembered, _within(known.own, limit.period, at))
            if count > limit.intensity:
                return limit.then, count
        if known.on_trial or spec.on_exhausted == "park":
            count = min(remembered, _within(known.own, spec.period, at))
            return ("park", count) if count > spec.intensity else (None, count)
        self.restarts.append(at)
        count = min(spec.intensity + 1, _within(self.restarts, spec.period, at))
        return ("escalate", count) if count > spec.intensity else (None, count)

    def _delay(self, known, chance):
        backoff = known.spec.backoff
        if known.failures == 1:
            return 0.0
        full = min(backoff.max, backoff.min * backoff.factor ** (known.failures - 2))
        return full * (1 - backoff.jitter * chance)

    def _close(self, why, name=None, ended=None):
        self.closing = why
        self._begins_to_end()
        self.culprit = None if name is None else (name, ended)

    def _begins_to_end(self):
        """Remember who stands together now, and who has been told before: whoever leaves meanwhile makes strangers neighbours."""
        self._is_first_start, self._together = False, dict(self._place)
        self._told_before = {name for name, known in self.children.items() if known.told}

    def _doom_group(self, name, then, now):
        if self.spec.strategy not in GROUPS:
            return
        self._begins_to_end()
        group = set(self.children) if self.spec.strategy == "one_for_all" else {name, *self._after(name)}
        for one_name in group - {name}:
            one = self.children[one_name]
            if one.alive:
                one.doomed = one.doomed or ("gone" if one.spec.restart == "temporary" else then)
            elif then == "again" and one.rests == "finished":
                one.rests = None
            elif then == "parked" and one.rests in (None, "finished"):
                one.rests = "parked"
                self._cancelled(one_name, one)
        self._leaving = {one for one, known in self.children.items() if known.alive and known.doomed}
        if self._leaving and self._paused_since is None:
            self._paused_since = now

    def _left(self, name, now):
        self._leaving.discard(name)
        if self._paused_since is not None and not self._leaving:
            self._paused_s += now - self._paused_since
            self._paused_since = None

    def _cancelled(self, name, known):
        if known.pending:
            self._due.append(fx.Cancel(name))

    def _living(self, name, number):
        known = self.children.get(name)
        return known if known is not None and known.alive and known.number == number else None

    def _for_verb(self, name):
        self._by_verb, self._is_first_start = self._by_verb or name, False
        return self.children.get(name) if self.closing is None else None

    def _after(self, name):
        return [other for other, place in self._place.items() if place > self._place[name]]

    def _places(self):
        """Number the layers of those who stay."""
        names = [name for name in self.children if fx.Discard(name) not in self._due]
        layers = [self.children[name].spec.layer for name in names]
        keys = [object() if layer is None else layer for layer in layers]
        numbers = [place for place, (_, layer) in enumerate(groupby(keys)) for _ in layer]
        self._place = dict(zip(names, numbers, strict=True))


def _within(restarts, period, at):
    return sum(one >= at - period for one in restarts)
