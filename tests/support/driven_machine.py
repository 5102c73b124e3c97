"""A supervisor's machine that a test drives by hand, child by child."""

from actors.runtime import Backoff, ChildSpec, SupervisorSpec
from actors.runtime.snapshot import ExitSnapshot
from actors.runtime.supervision import effects as fx
from actors.runtime.supervision.machine import SupervisorMachine

FAILED, NORMAL, KILLED, NOT_STARTED = (ExitSnapshot(reason) for reason in ("failed", "normal", "killed", "start_failed"))
AT_ONCE = Backoff(min=0, max=0)
SLOWLY = Backoff(min=1.0, max=1.0, jitter=0)


def child(id_, **fields):
    return ChildSpec(id_, "m:C", **{"backoff": AT_ONCE, **fields})


def supervisor(strategy, *children, intensity=10, **fields):
    return SupervisorSpec("s", children, strategy=strategy, intensity=intensity, **fields)


class Driven:
    """A machine whose children do as they are told; `log` has what was begun and ended, in order."""

    def __init__(self, spec, *, now=0.0):
        self.machine = SupervisorMachine(spec)
        self.now = now
        self.log = []
        self.effects = []
        self.do(self.machine.start())

    def do(self, effects):
        self.effects = effects
        for effect in effects:
            match effect:
                case fx.Begin(id_):
                    self.log.append(f"+{id_}")
                case fx.End(id_):
                    self.log.append(f"-{id_}")
        self.machine.check_invariants()
        return effects

    def ready(self, *ids):
        for id_ in ids:
            self.do(self.machine.ready(id_, self.machine.children[id_].incarnation, self.now))
        return self

    def exit(self, id_, ended=FAILED):
        return self.do(self.machine.exited(id_, self.machine.children[id_].incarnation, ended, self.now, 0.0))

    def order(self, verb, *arguments):
        return self.do(getattr(self.machine, verb)(*arguments, self.now))

    def phases(self):
        return {id_: one.phase for id_, one in self.machine.children.items()}


def running(spec):
    driven = Driven(spec)
    while starting := [id_ for id_, phase in driven.phases().items() if phase == "starting"]:
        driven.ready(*starting)
    assert driven.machine.phase == "running"
    driven.log.clear()
    return driven
