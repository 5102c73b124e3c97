"""A supervisor's machine with a referee beside it: the same methods, each answer held to the rules."""

from actors.runtime.supervision.machine import SupervisorMachine
from tests.support.supervision_referee import Referee


class WatchedMachine:
    """Drive it as the machine that it watches; it raises `AssertionError` where that breaks a rule.

    `machine` makes the machine: give another to see what a broken one is caught by. `is_broken` says that it has been caught.
    """

    def __init__(self, spec, *, again=False, machine=SupervisorMachine):
        self.machine = machine(spec, again=again)
        self.referee = Referee(spec, again=again)
        self.is_broken = False

    def start(self, now=0.0):
        return self._answer(self.machine.start(), now)

    def ready(self, name, number, now):
        self.referee.is_told_ready(name, number, now)
        return self._answer(self.machine.ready(name, number, now), now)

    def exited(self, name, number, ended, now, chance):
        is_news = self.referee.living.get(name) == number
        self.referee.is_told_exited(name, number, ended, now, chance)
        answer = self.machine.exited(name, number, ended, now, chance)
        if not is_news:
            self.referee.sees_nothing(answer)
            return answer
        self._answer(answer, now)
        self.referee.sees_nothing(self.machine.exited(name, number, ended, now, chance))
        return answer

    def due(self, name, number, now):
        known = self.referee.children.get(name)
        is_news = known is not None and known.pending and known.number == number
        self.referee.is_told_due(name, number)
        answer = self.machine.due(name, number, now)
        if not is_news:
            self.referee.sees_nothing(answer)
            return answer
        return self._answer(answer, now)

    def stop(self, now):
        self.referee.is_told_stop()
        return self._answer(self.machine.stop(now), now)

    def remove(self, name, now):
        self.referee.is_told_to_end(name, "gone")
        return self._answer(self.machine.remove(name, now), now)

    def stop_child(self, name, now):
        self.referee.is_told_to_end(name, "stopped")
        return self._answer(self.machine.stop_child(name, now), now)

    def start_child(self, name, now):
        self.referee.is_told_to_start(name)
        return self._answer(self.machine.start_child(name, now), now)

    def restart_child(self, name, now):
        self.referee.is_told_to_restart(name, now)
        return self._answer(self.machine.restart_child(name, now), now)

    def add(self, spec, number, name, now):
        self.referee.is_told_to_add(spec, name)
        return self._answer(self.machine.add(spec, number, name), now)

    def reload(self, spec, now, lives=None):
        self.referee.is_told_to_reload(spec, now)
        return self._answer(self.machine.reload(spec, now, lives), now)

    @property
    def is_over(self):
        """Tell whether the supervisor has said its last word."""
        return self.referee.said is not None

    def _answer(self, answer, now):
        self.is_broken = True
        self.referee.sees(answer, now)
        self.machine.check_invariants()
        self.is_broken = False
        return answer
