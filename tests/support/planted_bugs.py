"""Machines that are wrong on purpose, each in one way, to see that whoever checks machines catches them.

Each is a mistake that somebody could make in the real one, and that a look at the code may miss.
"""

from msgspec import structs

from actors.runtime.supervision import effects as fx
from actors.runtime.supervision.machine import SupervisorMachine


class RestartsTwice(SupervisorMachine):
    """Believes an exit that arrives a second time, while the child waits for its restart."""

    def exited(self, child_id, incarnation, ended, now, chance):
        child = self.children.get(child_id)
        if child is not None and child.phase == "restarting" and child.incarnation == incarnation:
            return self.due(child_id, incarnation, now)
        return super().exited(child_id, incarnation, ended, now, chance)


class StopsInStartOrder(SupervisorMachine):
    """Stops the first child first."""

    def stop(self, now):
        layers = self._procession.layers
        self._procession.layers = lambda: layers()[::-1]
        return super().stop(now)


class ForgivesOne(SupervisorMachine):
    """Counts up to one more restart than it may."""

    def __init__(self, spec, **again):
        super().__init__(structs.replace(spec, intensity=spec.intensity + 1), **again)


class LooksBackTooShort(SupervisorMachine):
    """Takes the edge of the window for outside."""

    def __init__(self, spec, **again):
        super().__init__(structs.replace(spec, period=spec.period - 0.125), **again)


class ForgetsSlowStops(SupervisorMachine):
    """Lets the window run empty while it stops a group."""

    def __init__(self, spec, **again):
        super().__init__(spec, **again)
        self._clock.stand_still = lambda now: None


class LeavesTheGroup(SupervisorMachine):
    """Restarts the child that fell, and nobody with it."""

    def _take_along(self, child, then, now):
        return []


class IgnoresOrders(SupervisorMachine):
    """Starts a child that somebody has stopped when its group is restarted."""

    def _end_one(self, child_id, then):
        answer = super()._end_one(child_id, then)
        if child_id in self.children:
            self.children[child_id].by_order = False
        return answer


class NeverRecovers(SupervisorMachine):
    """Goes on counting failures in a row over a long healthy time."""

    def ready(self, child_id, incarnation, now):
        answer = super().ready(child_id, incarnation, now)
        if answer:
            self.children[child_id].ready_at = float("inf")
        return answer


class HurriesTheOrder(SupervisorMachine):
    """Begins a layer before the one before it is running."""

    def _proceed(self, now):
        answer = super()._proceed(now)
        if answer and isinstance(answer[-1], fx.Begin) and self.phase != "stopping":
            answer += self._one_more()
        return answer

    def _one_more(self):
        waiting = next((child for child in self.children.values() if child.phase == "waiting"), None)
        return [] if waiting is None else [self._procession.begin(waiting)]


class StopsTooLate(SupervisorMachine):
    """Says that it has stopped, but still begins the child whose delay it did not cancel."""

    def stop(self, now):
        return [effect for effect in super().stop(now) if not isinstance(effect, fx.Cancel)]


class ForgetsTheParked(SupervisorMachine):
    """Parks a child and lets its group run on."""

    def _take_along(self, child, then, now):
        return [] if then == "parked" else super()._take_along(child, then, now)


PLANTED_BUGS = (
    RestartsTwice,
    StopsInStartOrder,
    ForgivesOne,
    LooksBackTooShort,
    ForgetsSlowStops,
    LeavesTheGroup,
    IgnoresOrders,
    NeverRecovers,
    HurriesTheOrder,
    StopsTooLate,
    ForgetsTheParked,
)
