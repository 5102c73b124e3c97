"""Announce: the effect that all five managers share, saying what has happened.

It is an effect, and not a return value or a log line, so that a shell publishes it after the effects before it were carried out:
nobody hears of an artifact that is not on disk.
"""

from msgspec import Struct


class Announce(Struct, frozen=True, tag=True):
    """Tell subscribers; `kind` is `noun.past_participle`, `subject` is the id of what it happened to."""

    kind: str
    subject: str
