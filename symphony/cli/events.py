"""`symphony events`: what happened, and what happens."""

import re
import time
from datetime import datetime
from fnmatch import fnmatchcase

import click
from msgspec import Struct

from actors.runtime.event import Event
from symphony.console.render import event_line

from .invocation import Invocation
from .invocation import command as symphony_command
from .kernel import connected
from .output import write_json, write_line
from .time_limit import time_limit

_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|min|m|h|d)")
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


class Since(Struct, frozen=True):
    """Where to begin: after the event number `seq`, and not before the time `at`, in seconds since the epoch."""

    seq: int = 0
    at: float = 0.0


def since_when(text: str) -> Since:
    """Read an event's number, a time as in 2026-01-31T12:00:00Z, or how long ago, as in 90s, 10min, 2h or 1d."""
    if text.isascii() and text.isdigit() and len(text) < 19:
        return Since(seq=int(text))
    if ago := _AGO.fullmatch(text):
        return Since(at=time.time() - float(ago[1]) * _UNITS[ago[2]])
    try:
        return Since(at=datetime.fromisoformat(text).astimezone().timestamp())
    except (ValueError, OverflowError, OSError):
        forms = "an event's number, a time such as 2026-01-31T12:00:00Z, or an age such as 10min"
        raise click.BadParameter(f"{text!r} is not {forms}") from None


class Wanted(Struct, frozen=True):
    """Which events to print: patterns as the shell has them, `*` for any characters, `/` included; none is all."""

    types: tuple[str, ...]
    path: str | None
    since: Since

    def fits(self, event: Event) -> bool:
        """Tell whether `event` is one of them."""
        return (
            event.at >= self.since.at
            and (not self.types or any(fnmatchcase(event.type, pattern) for pattern in self.types))
            and (self.path is None or fnmatchcase(event.path, self.path))
        )


@symphony_command("events", timeout_s=10.0)
@click.option("--follow", is_flag=True, help="Go on with new events, until interrupted or for --timeout.")
@click.option("--type", "types", metavar="T,…", default="", help="Only these types; patterns as in 'actor.*'.")
@click.option("--path", metavar="GLOB", help="Only events of these actors, as in '/engine/*' (* also crosses /).")
@click.option("--since", type=since_when, default="0", metavar="N|TIME", help="After event N, or since a time, or as in 10min.")
def command(invocation: Invocation, types: str, path: str | None, since: Since, *, follow: bool) -> None:
    """Print what happened, and what happens.

    One event a line, oldest first. A kernel keeps the last 10,000; more of them are in events.jsonl in the run directory.
    """
    wanted = Wanted(tuple(part.strip() for part in types.split(",") if part.strip()), path, since)
    limit_s = invocation.given_timeout_s if follow else invocation.timeout_s
    try:
        with time_limit(limit_s), connected(invocation) as client:
            for batch in client.events(since=since.seq, follow=follow):
                for event in filter(wanted.fits, batch.events):
                    _print(event, as_json=invocation.as_json)
    except (TimeoutError, KeyboardInterrupt):
        if not follow:
            raise


def _print(event: Event, *, as_json: bool) -> None:
    if as_json:
        document = event.document()
        write_json(document["schema"], document)
    else:
        write_line(event_line(event))
