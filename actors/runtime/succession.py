"""Succession: an actor whose life was given up while it holds a thread gets another cell, which begins the next life at once.

A Python thread cannot be ended from outside, and the duty of the turn that it is stuck in cannot be taken away from it without a
lock around every message. So the turn keeps its cell, and all that belongs to the actor goes to another one: its path, counters
and messages, and those that somebody still sends to the cell of old. When the handler returns after all, it finds a cell that has
been closed, lets go of its own actor, and touches nothing of its successor's.
"""

from .cell import ActorCell
from .dispatch.dispatcher import DispatcherSource
from .held_thread import thread_held_by
from .registry import Registry


def successor_of(cell: ActorCell, dispatchers: DispatcherSource, registry: Registry) -> ActorCell:
    """Give the cell for the next life: another one where a life that was given up holds a thread, else `cell`.

    Supervisors keep theirs: nothing in their turns waits. Only the actor's supervisor calls, between two lives.
    """
    was_given_up = 0 < cell.begun <= cell.abandoned
    if not was_given_up or cell.kind.is_supervisor or (thread := thread_held_by(cell)) is None:
        return cell
    successor = cell.anew(dispatchers.instead_of(cell.dispatcher, cell.path, thread))
    successor.state = "restarting"
    successor.incarnation, successor.begun, successor.abandoned = cell.incarnation, cell.begun, cell.abandoned
    successor.processed, successor.expired, successor.dropped = cell.processed, cell.expired, cell.dropped
    successor.last_exit = cell.last_exit
    _hand_over(cell, successor)
    # Behind all that: who finds the successor comes after those whose messages waited.
    registry.add(successor)
    return successor


def _hand_over(cell: ActorCell, successor: ActorCell) -> None:
    in_hand = None if cell.life is None else cell.life.in_hand
    cell.successor = successor
    if cell.life is not None:
        cell.life.disown()
    cell.is_released = True
    # What waits, and what still comes, goes to the successor.
    cell.close()
    if in_hand is not None and in_hand.is_plain:
        cell.record_dead_letter(in_hand, "the actor was given up while it handled it")
