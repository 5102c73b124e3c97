"""Referee: holds the answers of one supervisor's machine to the rules.

One life at a time, the order of starting and stopping, exact limits, the delays, the last word, and that nobody is forgotten.
"""

from itertools import groupby

from actors.runtime.supervision import effects as fx
from tests.support.supervision_account import GROUPS, Account

WORD_AT_THE_END = {
    "order": fx.ReportStopped,
    "shut_down": fx.ReportStopped,
    "failed": fx.ReportFailed,
    "start_failed": fx.ReportStartFailed,
}


class Referee(Account):
    """An account that is shown the machine's answers too, by `sees`."""

    def __init__(self, spec, *, again=False):
        super().__init__(spec, again=again)
        self.said = None
        self._looks = {
            fx.Begin: self._sees_begin,
            fx.End: self._sees_end,
            fx.Schedule: self._sees_schedule,
            fx.Cancel: self._sees_cancel,
            fx.Discard: self._sees_discard,
            fx.Parked: self._sees_parked,
            fx.Stopped: self._sees_stopped,
            fx.Note: self._sees_news,
            fx.Adjust: self._sees_adjust,
            fx.Escalate: self._sees_what_was_due,
            fx.ShutDown: self._sees_what_was_due,
            fx.ReportReady: self._sees_ready,
            fx.ReportStopped: self._sees_last,
            fx.ReportFailed: self._sees_last,
            fx.ReportStartFailed: self._sees_last,
        }

    def sees(self, answer, now):
        """Hold the answer to the rules; raises `AssertionError`."""
        for effect in answer:
            assert self.said is None, f"{effect} after the last word"
            self._looks[type(effect)](effect, now)
        for due in self._due:
            assert due in answer, f"{due} was due"
        self._due.clear()
        self._by_verb = self._added = None
        if self.said is None:
            self._goes_on()

    def sees_nothing(self, answer):
        assert answer == [], f"{answer}, where nothing was to be done"
        assert not self._due

    def _sees_begin(self, effect, now):
        known = self.children[effect.child]
        assert not known.alive, f"a second life of {effect.child} beside the first"
        assert effect.incarnation > known.number, "incarnations grow"
        assert self.closing is None, f"{effect.child} begins while its supervisor stops"
        assert known.rests in (None, "finished"), f"{effect.child} begins, but it is {known.rests}"
        assert known.rests is None, f"{effect.child} has finished and begins again"
        self._may_begin(effect.child)
        known.alive, known.number, known.pending = True, effect.incarnation, False

    def _sees_end(self, effect, now):
        known = self.children[effect.child]
        assert known.alive, f"{effect.child} is told to end, but it is not alive"
        assert known.number == effect.incarnation
        assert not known.told, f"{effect.child} is told to end twice"
        assert known.doomed or self.closing, f"{effect.child} has no reason to end"
        is_alone = known.doomed in ("stopped", "gone") or self.spec.strategy not in GROUPS
        known.alone = is_alone and self._by_verb in (effect.child, "*")
        if not known.alone and not (self.spec.strategy == "dynamic" and self.closing):
            later = [name for name in self._after(effect.child) if self._ends_with(name) and not self.children[name].alone]
            assert not later, f"{effect.child} is told to end before {later}"
        known.told = True

    def _sees_schedule(self, effect, now):
        known = self.children[effect.child]
        assert not known.alive
        assert known.rests is None
        assert self.closing is None
        assert effect in self._due, f"{effect} was not due: {self._due}"
        assert effect.delay_s > 0
        known.pending = True

    def _sees_cancel(self, effect, now):
        known = self.children[effect.child]
        assert known.pending, f"{effect.child} had nothing to cancel"
        known.pending = False

    def _sees_discard(self, effect, now):
        known = self.children.pop(effect.child)
        assert not known.alive
        assert not known.pending
        assert effect in self._due, f"{effect.child} is forgotten without a reason"
        self._places()

    def _sees_parked(self, effect, now):
        known = self.children[effect.child]
        assert not known.alive
        assert known.rests == "parked", f"{effect.child} is parked without a reason"
        known.pending = False

    def _sees_stopped(self, effect, now):
        known = self.children[effect.child]
        assert not known.alive
        assert effect in self._due, f"{effect.child} is stopped, but has neither finished nor been told to"

    def _sees_news(self, effect, now):
        assert effect in self._due, f"{effect} is no news"

    def _sees_adjust(self, effect, now):
        assert self.children[effect.child].alive

    def _sees_what_was_due(self, effect, now):
        assert effect in self._due, f"{effect} without a reason"

    def _sees_ready(self, effect, now):
        assert not self.ready_said, "ready is said once"
        assert self.closing is None
        late = [name for name, known in self.children.items() if not self._has_come(known)]
        assert not late, f"ready, but {late} are not"
        self.is_up()

    def _sees_last(self, effect, now):
        assert self.closing is not None, f"{effect} without a reason"
        assert type(effect) is WORD_AT_THE_END[self.closing], f"{effect} at the end, after {self.closing}"
        if self.culprit is not None:
            assert (effect.child, effect.exit) == self.culprit
        assert not self.living, f"{effect}, but {list(self.living)} are alive"
        assert not [name for name, known in self.children.items() if known.pending], "a restart is left scheduled"
        self.said = effect

    def _may_begin(self, name):
        if self.spec.strategy not in GROUPS and (self.ready_said or self.children[name].has_come):
            return
        before = [self.children[other] for other, place in self._place.items() if place < self._place[name]]
        if name == self._added:
            # It comes by itself, unless a group is being restarted.
            before = [one for one in before if not (one.alive and one.doomed is None) and not (self.again and one.pending)]
        assert all(self._has_come(one) for one in before), f"{name} begins before those before it have come"
        assert not self._leaving, f"{name} begins while {self._leaving} still leave"

    def _has_come(self, known):
        if known.rests or (known.doomed in ("stopped", "gone")):
            return True
        if self.spec.strategy not in GROUPS:
            return known.has_come
        return known.alive and known.ready and known.doomed is None

    def _ends_with(self, name):
        known = self.children[name]
        return known.alive and (self.closing is not None or name in self._leaving)

    def _goes_on(self):
        """Assert that something is under way, or else that everybody is where they should be."""
        children = self.children.values()
        busy = any((known.alive and (known.told or not known.ready)) or known.pending for known in children)
        if not busy:
            lost = [name for name, known in self.children.items() if not (known.rests or (known.ready and not known.doomed))]
            assert not lost, f"{lost} are forgotten"
            assert self.closing is None, "the last word is due"
            assert self.ready_said, "ready is due"
        self._stay_together()

    def _stay_together(self):
        for _, layer in groupby(self.children, key=lambda name: self._together.get(name, name)):
            names = list(layer)
            if len(names) == 1:
                continue
            known = [self.children[name] for name in names]
            if self._is_first_start and any(one.number for one in known):
                late = [one for one in known if not (one.number or one.rests)]
                assert not late, f"{names} start together"
            ending = [name for name in names if self._ends_with(name) and name not in self._told_before]
            asked = {self.children[name].told for name in ending if not self.children[name].alone}
            assert len(asked) <= 1, f"{names} stop together"
