"""World: one tree in one thread. Real machines decide; processes, time and whatever goes wrong are made up, from one seed.

The manner is FoundationDB's (https://apple.github.io/foundationdb/testing.html): what happens next is only ever drawn from the
seed, so that a history that went wrong happens again, to the letter. Sessions between nodes are left out: they are not sans-I/O.

News travels a while and in order for each child, so that it crosses with orders, as in a real system: a child may be told to end
when it has ended already. A fake process does what a real one may: come up, take too long, fail to, hang, crash, and not stop.

Times are whole parts of 1/64 s, and therefore exact: both sides of a window's edge are the same here and for the referees.
"""

import heapq
import random
from collections import Counter
from itertools import count

from msgspec import structs

from actors.runtime import SupervisorSpec
from actors.runtime.snapshot import ExitSnapshot
from actors.runtime.supervision import effects as fx
from actors.runtime.supervision.machine import SupervisorMachine
from tests.simulation.trees import leaf, tree
from tests.support.watched_machine import WatchedMachine

CRASHES = ("failed", "failed", "failed", "killed", "killed", "hung", "normal", "shutdown", "unknown")
VERBS = ("stop_child", "start_child", "start_child", "restart_child", "remove", "add", "add", "reload")
QUIET_S = (0.125, 0.5, 0.5, 0.5, 8.0)
TICK_S = 1 / 64
MOST_EVENTS = 20_000
TELLS_LAST = 40


class Life:
    """One incarnation of anything: a process, or a supervisor, which has a machine and lives below it."""

    def __init__(self, path, number, parent, spec):
        self.path = path
        self.number = number
        self.parent = parent
        self.spec = spec
        self.is_over = False
        self.asked_to_end = False
        self.news_until = 0.0
        self.below = {}
        self.delays = {}
        self.watched = None

    @property
    def name(self):
        return self.path.rpartition("/")[2]


class World:
    """One history: make it with a seed, `run` it, read its `transcript`. `machine` is what decides.

    `harm` counts what went wrong, by kind. `ended` is how the root ended. In `peace`, nothing goes wrong by itself.
    """

    def __init__(self, seed, machine=SupervisorMachine, *, peace=False):
        self.seed = seed
        self.chance = random.Random(f"supervision {seed}")  # noqa: S311  # reproducible, and no secret
        self.now = 0.0
        self.events = 0
        self.transcript = []
        self.harm = Counter()
        # Most trees come up in peace: a start that fails is the end of a history.
        self.faults = self.chance.random() < 0.1 and not peace
        self._peace = peace
        self.ended = None
        self._machine = machine
        self._agenda = []
        self._order = count()
        self._alive = {}
        self._last = {}
        self._killed = set()
        self.root = self._new_life("", 1, None, tree(self.chance))
        self._begin_supervisor(self.root)

    def run(self, faults=80):
        """Let `faults` things go wrong, then nothing more; see that the tree heals, and stop it."""
        while not self.faults and self._agenda:
            self._step()
        for _ in range(faults):
            if self.ended is not None:
                break
            self._run_until(self.now + self._draw_s(self.chance.choice(QUIET_S)))
            self._do_harm()
        self.faults = False
        self._run_out()
        if self.ended is None:
            self._check_healed(self.root)
            self._tell("all is well: stop")
            self._answered(self.root, self.root.watched.stop(self.now))
            self._run_out()
        assert self.ended is not None, "the root has not ended"
        assert not self._alive, f"{sorted(self._alive)} outlive the root"
        return self

    # Time.

    def _later(self, delay_s, what, *arguments):
        heapq.heappush(self._agenda, (self.now + delay_s, next(self._order), what, arguments))

    def _draw_s(self, most_s):
        """Draw a time, short ones more often: zero is one of four."""
        if self.chance.random() < 0.25:
            return 0.0
        return round(self.chance.random() ** 2 * most_s / TICK_S) * TICK_S

    def _run_until(self, until):
        while self._agenda and self._agenda[0][0] <= until:
            self._step()
        self.now = max(self.now, until)

    def _run_out(self):
        while self._agenda:
            self._step()

    def _step(self):
        self.now, _, what, arguments = heapq.heappop(self._agenda)
        self.events += 1
        assert self.events < MOST_EVENTS, "it does not come to rest"
        what(*arguments)

    def _tell(self, line):
        self.transcript.append(f"{self.now:.4f} {line}")

    # Lives.

    def _new_life(self, path, number, parent, spec):
        assert path not in self._alive, f"two lives of {path or '/'}"
        assert number > self._last.get(path, 0), f"the lives of {path or '/'} do not count up"
        life = self._alive[path] = Life(path, number, parent, spec)
        self._last[path] = number
        return life

    def _begin(self, parent, name, number):
        spec = parent.watched.machine.children[name].spec
        life = parent.below[name] = self._new_life(f"{parent.path}/{name}", number, parent, spec)
        self._later(spec.start_timeout, self._start_is_overdue, life)
        if isinstance(spec, SupervisorSpec):
            self._begin_supervisor(life)
            return
        draw = self.chance.random() if self.faults else 0.5
        if draw < 0.1:
            self.harm["start failed"] += 1
            self._later(self._draw_s(1.0), self._exits, life, "start_failed")
        elif draw < 0.14:
            self.harm["start hung"] += 1
        else:
            self._later(self._draw_s(1.0 if draw < 0.9 else 5.0), self._is_ready, life)

    def _begin_supervisor(self, life):
        again = life.path in self._killed and life.spec.on_exhausted == "park"
        self._killed.discard(life.path)
        life.watched = WatchedMachine(life.spec, again=again, machine=self._machine)
        for name, child in life.watched.machine.children.items():
            child.incarnation = self._last.get(f"{life.path}/{name}", 0)
        self._answered(life, life.watched.start(self.now))

    def _end(self, life):
        if life.is_over:
            return
        life.asked_to_end = True
        shutdown = life.spec.shutdown
        if shutdown == "kill":
            self._exits(life, "killed")
        elif life.watched is not None:
            self._later(self._draw_s(0.1), self._stop_supervisor, life)
        elif shutdown != "infinity" and self.faults and self.chance.random() < 0.2:
            self.harm["stop hung"] += 1
            self._later(shutdown, self._exits, life, "killed")
        else:
            self._later(self._draw_s(0.5), self._exits, life, self.chance.choice(("shutdown", "shutdown", "normal", "failed")))

    def _stop_supervisor(self, life):
        if not life.is_over:
            self._answered(life, life.watched.stop(self.now))

    def _is_ready(self, life):
        if not life.is_over and not life.asked_to_end:
            self._news(life, lambda above: above.watched.ready(life.name, life.number, self.now), "is ready")

    def _start_is_overdue(self, life):
        known = None if life.is_over else life.parent.watched.referee.children.get(life.name)
        if known is not None and known.number == life.number and not known.ready and not known.told:
            self._exits(life, "start_timeout")

    def _exits(self, life, reason):
        """End a life and all that live below it, and let its supervisor hear of it."""
        if life.is_over:
            return
        self._is_gone(life)
        if reason == "killed":
            self._killed.add(life.path)
        if life.parent is None:
            self.ended = reason
            self._tell(f"the root ends: {reason}")
            return
        ended, chance = ExitSnapshot(reason), self.chance.randrange(8) / 8
        self._news(life, lambda above: above.watched.exited(life.name, life.number, ended, self.now, chance), f"ends: {reason}")

    def _is_gone(self, life):
        life.is_over = True
        del self._alive[life.path]
        for below in life.below.values():
            if not below.is_over:
                self._is_gone(below)

    def _news(self, life, say, what):
        at = life.news_until = max(life.news_until, self.now + self._draw_s(0.1))
        self._later(at - self.now, self._hears, life, say, what)

    def _hears(self, life, say, what):
        above = life.parent
        if above.is_over:
            return
        self._tell(f"{life.path} #{life.number} {what}")
        self._answered(above, say(above))

    # What a machine wants done.

    def _answered(self, life, answer):
        for effect in answer:
            self._tell(f"  {life.path or '/'}: {effect}")
            match effect:
                case fx.Begin(name, number):
                    life.delays.pop(name, None)
                    self._begin(life, name, number)
                case fx.End(name):
                    self._end(life.below[name])
                case fx.Schedule(name, number, delay_s):
                    life.delays[name] = token = object()
                    self._later(delay_s, self._is_due, life, name, number, token)
                case fx.Cancel(name) | fx.Discard(name):
                    life.delays.pop(name, None)
                case fx.ReportReady() if life.parent is None:
                    self.faults = not self._peace
                case fx.ReportReady():
                    self._is_ready(life)
                case fx.ReportStopped():
                    assert not life.delays, "it has stopped, but a restart is scheduled"
                    self._exits(life, "shutdown")
                case fx.ReportFailed():
                    self._exits(life, "failed")
                case fx.ReportStartFailed():
                    self._exits(life, "start_failed")

    def _is_due(self, life, name, number, token):
        if not life.is_over and life.delays.get(name) is token:
            del life.delays[name]
            self._answered(life, life.watched.due(name, number, self.now))

    # What goes wrong.

    def _do_harm(self):
        if not self._alive:
            return
        draw = self.chance.random()
        if draw < 0.6:
            self._crash(1)
        elif draw < 0.7:
            self._crash(3)
        else:
            self._give_order()

    def _crash(self, most):
        """Crash some, at one moment; a supervisor among them is killed with all that is below it."""
        paths = [path for path in self._alive if path]
        for path in self.chance.sample(paths, min(most, len(paths))):
            life = self._alive.get(path)
            if life is not None:
                reason = "killed" if life.watched is not None else self.chance.choice(CRASHES)
                self.harm["supervisor killed" if life.watched is not None else f"crashed: {reason}"] += 1
                self._tell(f"{path} #{life.number} crashes: {reason}")
                self._exits(life, reason)

    def _give_order(self):
        supervisors = [life for life in self._alive.values() if life.watched is not None]
        life = self.chance.choice(supervisors)
        verb, watched = self.chance.choice(VERBS), life.watched
        names = list(watched.referee.children)
        if watched.is_over:
            return
        self.harm["order"] += 1
        if verb == "add":
            name = f"x{self.chance.randrange(4)}"
            if name not in names and len(names) < 8:
                is_dynamic = life.spec.strategy == "dynamic"
                spec = watched.referee.spec.children[0] if is_dynamic else leaf(self.chance, name)
                self._tell(f"{life.path or '/'} add {name}")
                number = self._last.get(f"{life.path}/{name}", 0) + 1
                self._answered(life, watched.add(spec, number, name, self.now))
        elif verb == "reload":
            self._reload(life)
        elif names:
            name = self.chance.choice(names)
            self._tell(f"{life.path or '/'} {verb} {name}")
            self._answered(life, getattr(watched, verb)(name, self.now))

    def _reload(self, life):
        """Drop a child, or tell one to be another, unless the supervisor is one of a template."""
        old = life.watched.referee.spec
        if old.strategy == "dynamic" or not old.children:
            return
        place = self.chance.randrange(len(old.children))
        changed = old.children[place]
        if isinstance(changed, SupervisorSpec):
            return
        new = [] if self.chance.random() < 0.3 else [structs.replace(changed, args=(*changed.args, 1))]
        children = [*old.children[:place], *new, *old.children[place + 1 :]]
        self._tell(f"{life.path or '/'} reload {changed.id}")
        numbers = {child.id: self._last.get(f"{life.path}/{child.id}", 0) for child in children}
        self._answered(life, life.watched.reload(structs.replace(old, children=children), self.now, numbers))

    # Afterwards.

    def _check_healed(self, life):
        """Assert that everybody below is up, or down for a reason that is seen."""
        for name, known in life.watched.referee.children.items():
            path = f"{life.path}/{name}"
            below = self._alive.get(path)
            if known.rests is not None:
                assert below is None, f"{path} is {known.rests}, and alive"
                assert known.spec.restart != "permanent" or known.rests in ("parked", "ordered"), f"{path} has just stopped"
                continue
            assert below is not None, f"{path} is not back"
            assert not below.asked_to_end
            if below.watched is not None:
                self._check_healed(below)


def failure_of(seed, machine=SupervisorMachine):
    """Run one history, and give None or, as text, what went wrong and how it came to that."""
    world = None
    try:
        world = World(seed, machine)
        world.run()
    except (AssertionError, KeyError, ValueError) as error:
        last = [] if world is None else world.transcript[-TELLS_LAST:]
        return "\n".join([f"seed {seed}: {type(error).__name__}: {error}", *last])
    return None
