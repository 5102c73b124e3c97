"""The supervisor's machine under whatever may happen to it, with a referee that keeps an account of its own.

`SYMPHONY_SUPERVISION_EXAMPLES` says how many examples of up to 50 steps are drawn, where the usual number is not enough.
"""

from itertools import groupby

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from msgspec import structs

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.snapshot import ExitSnapshot
from actors.runtime.supervision import effects as fx
from actors.runtime.supervision.machine import SupervisorMachine
from actors.runtime.supervision.spec import RestartLimit
from tests.support.effort import effort
from tests.support.planted_bugs import ForgivesOne, HurriesTheOrder, LeavesTheGroup, RestartsTwice, StopsInStartOrder
from tests.support.watched_machine import WatchedMachine

EXAMPLES = effort("SUPERVISION_EXAMPLES", 3000)
STEPS = 50
NAMES = ("a", "b", "c", "d", "e")
EXITS = tuple(ExitSnapshot(reason) for reason in ("failed", "normal", "shutdown", "killed", "start_failed", "hung", "unknown"))
BACKOFFS = (
    Backoff(min=0, max=0),
    Backoff(min=0, max=0),
    Backoff(min=1, max=4, factor=2, jitter=0, healthy_after=4),
    Backoff(min=0.25, max=8, factor=4, jitter=0.5, healthy_after=1),
)
LIMITS = (None, None, None, RestartLimit(1, 2), RestartLimit(2, 4, "escalate"))
LAYERS = (None, None, 0, 1)
KINDS = ("permanent", "permanent", "transient", "temporary")
SECONDS = (1.0, 2.0, 4.0)
CHANCES = (0.0, 0.5, 0.75)

number = st.integers(0, 2**16)


def child_of(name, choice):
    """Give a child's spec from one number, which is much quicker to draw than a value for each field."""
    choice, kind = divmod(choice, len(KINDS))
    choice, backoff = divmod(choice, len(BACKOFFS))
    choice, limit = divmod(choice, len(LIMITS))
    choice, layer = divmod(choice, len(LAYERS))
    return ChildSpec(
        name,
        "m:C",
        restart=KINDS[kind],
        backoff=BACKOFFS[backoff],
        limit=LIMITS[limit],
        layer=LAYERS[layer],
        significant=KINDS[kind] != "permanent" and bool(choice % 2),
    )


def with_layers_together(children):
    """Number the layers anew, so that only neighbours are in one."""
    runs = [list(run) for _, run in groupby(children, key=lambda child: child.layer)]
    return [
        structs.replace(child, layer=None if child.layer is None else number) for number, run in enumerate(runs) for child in run
    ]


class SupervisorModel(RuleBasedStateMachine):
    """Everything that can happen to a supervisor, in any order; the referee says what is wrong with its answers."""

    make = SupervisorMachine

    @initialize(
        strategy=st.sampled_from(["one_for_one", "one_for_all", "rest_for_one", "dynamic"]),
        choices=st.lists(number, min_size=0, max_size=4),
        intensity=st.integers(0, 3),
        on_exhausted=st.sampled_from(["escalate", "park"]),
        auto_shutdown=st.sampled_from(["never", "never", "any_significant", "all_significant"]),
        again=st.integers(0, 9),
        rests_first=st.booleans(),
    )
    def build(self, strategy, choices, intensity, on_exhausted, auto_shutdown, again, rests_first):
        children = [child_of(name, choice) for name, choice in zip(NAMES, choices, strict=False)]
        children = with_layers_together(children)
        if strategy == "dynamic":
            children = [child_of("like", sum(choices))]
        self.spec = SupervisorSpec(
            "s",
            children,
            strategy=strategy,
            intensity=intensity,
            period=4.0,
            on_exhausted=on_exhausted,
            auto_shutdown=auto_shutdown,
        )
        self.rests_first = rests_first
        self.now = 0.0
        self.numbers = {}
        self.scheduled = []
        self.watched = WatchedMachine(self.spec, again=again == 0, machine=self.make)
        self._do(self.watched.start())

    @rule(which=number)
    def a_child_gets_ready(self, which):
        if living := self._living(ready=False) or self._living():
            name, life = living[which % len(living)]
            self._do(self.watched.ready(name, life, self.now))

    @rule()
    def everybody_gets_ready(self):
        for _ in range(2 * len(NAMES)):
            for name, life in self._living(ready=False):
                self._do(self.watched.ready(name, life, self.now))

    @rule(which=number)
    def a_running_child_fails(self, which):
        if living := self._living(ready=True):
            name, life = living[which % len(living)]
            self._do(self.watched.exited(name, life, EXITS[0], self.now, 0.0))

    @rule(which=number, how=number)
    def a_child_exits(self, which, how):
        if living := self._living():
            name, life = living[which % len(living)]
            choice, reason = divmod(how, len(EXITS))
            self._do(self.watched.exited(name, life, EXITS[reason], self.now, CHANCES[choice % len(CHANCES)]))

    @precondition(lambda self: any(one.told for one in self.watched.referee.children.values()))
    @rule(which=number)
    def a_child_ends_as_it_was_told(self, which):
        told = [(name, one.number) for name, one in self.watched.referee.children.items() if one.told]
        name, life = told[which % len(told)]
        self._do(self.watched.exited(name, life, EXITS[2], self.now, 0.0))

    @precondition(lambda self: self.scheduled)
    @rule(which=number)
    def a_delay_is_over(self, which):
        at, name, life = self.scheduled.pop(which % len(self.scheduled))
        self.now = max(self.now, at)
        self._do(self.watched.due(name, life, self.now))

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(name=st.sampled_from(NAMES), verb=st.sampled_from(["stop_child", "start_child", "restart_child", "remove"]))
    def somebody_gives_an_order(self, name, verb):
        self._do(getattr(self.watched, verb)(name, self.now))

    @rule(name=st.sampled_from(NAMES), choice=number)
    def a_child_is_added(self, name, choice):
        referee = self.watched.referee
        if name in referee.children or self.watched.is_over:
            return
        spec = (
            referee.spec.children[0]
            if referee.spec.strategy == "dynamic"
            else structs.replace(child_of(name, choice), layer=None)
        )
        self._do(self.watched.add(spec, self.numbers.get(name, 0) + 1, name, self.now))

    @rule(choice=number)
    def the_spec_is_reloaded(self, choice):
        """Drop a child, add one, change one so that it must be restarted, and another so that it need not."""
        referee = self.watched.referee
        old = list(referee.spec.children)
        if referee.spec.strategy == "dynamic" or self.watched.is_over:
            return
        if old and choice & 1:
            old.pop(choice % len(old))
        missing = [name for name in NAMES if name not in {child.id for child in old}]
        if missing and choice & 2:
            old.insert(choice % (len(old) + 1), child_of(missing[0], choice >> 4))
        new = with_layers_together([_edited(child, choice >> (4 + 2 * place)) for place, child in enumerate(old)])
        spec = SupervisorSpec(
            "s",
            new,
            strategy=self.spec.strategy,
            intensity=self.spec.intensity,
            period=4.0,
            on_exhausted=self.spec.on_exhausted,
            auto_shutdown=self.spec.auto_shutdown,
        )
        self._do(self.watched.reload(spec, self.now))

    @rule(name=st.sampled_from(NAMES), how=number)
    def something_of_an_earlier_life_arrives(self, name, how):
        life = self.numbers.get(name, 1) - 1 - how % 2
        self.watched.ready(name, life, self.now)
        self.watched.exited(name, life, EXITS[how % len(EXITS)], self.now, 0.0)
        self.watched.due(name, life, self.now)

    @rule(chance=st.integers(0, 11))
    def it_is_stopped(self, chance):
        if chance == 0:
            self._do(self.watched.stop(self.now))

    def teardown(self):
        """Let all be well from here on: everybody comes to where they should be; then, or at once, stop, and nothing is left."""
        if not hasattr(self, "watched") or self.watched.is_broken:
            return
        if self.rests_first:
            self._settle()
        self._do(self.watched.stop(self.now))
        self._settle()
        assert self.watched.is_over
        for name in NAMES:
            assert self.watched.machine.start_child(name, self.now) == []
            assert self.watched.machine.due(name, self.numbers.get(name, 0), self.now) == []

    def _settle(self):
        for _ in range(100):
            told = [(name, one.number) for name, one in self.watched.referee.children.items() if one.told]
            if told:
                self._do(self.watched.exited(*told[0], EXITS[2], self.now, 0.0))
            elif starting := self._living(ready=False):
                self._do(self.watched.ready(*starting[0], self.now))
            elif self.scheduled:
                at, name, life = self.scheduled.pop(0)
                self.now = max(self.now, at)
                self._do(self.watched.due(name, life, self.now))
            else:
                return
        raise AssertionError("it does not come to rest although all is well")

    def _living(self, **wanted):
        children = self.watched.referee.children.items()
        return [(name, one.number) for name, one in children if one.alive and one.ready is wanted.get("ready", one.ready)]

    def _do(self, answer):
        for effect in answer:
            if isinstance(effect, fx.Begin):
                self.numbers[effect.child] = effect.incarnation
            elif isinstance(effect, fx.Schedule):
                self.scheduled.append((self.now + effect.delay_s, effect.child, effect.incarnation))


def _edited(child, choice):
    if choice & 3 == 1:
        return ChildSpec(child.id, "m:C", args=(*child.args, choice), restart=child.restart, layer=child.layer)
    if choice & 3 == 2:
        return ChildSpec(child.id, "m:C", args=child.args, restart=child.restart, layer=child.layer, backoff=BACKOFFS[2])
    return child


def test_a_supervisor_keeps_its_rules_whatever_happens():
    run_state_machine_as_test(SupervisorModel, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))


@pytest.mark.parametrize("machine", [RestartsTwice, StopsInStartOrder, ForgivesOne, LeavesTheGroup, HurriesTheOrder])
def test_the_model_catches_a_machine_that(machine):
    """Otherwise that it finds nothing would say nothing. The whole-tree simulation catches the others, which take more tries."""
    model = type("Model", (SupervisorModel,), {"make": machine})
    drawn = settings(max_examples=1000, stateful_step_count=STEPS, derandomize=True, database=None, phases=[Phase.generate])

    with pytest.raises(AssertionError):
        run_state_machine_as_test(model, settings=drawn)
