"""A systemd unit that runs a tree as a service: up when it is ready, stopped in order, watched, and restarted where it failed.

`KillMode=mixed` sends SIGTERM to the warden alone, which stops everything in order, and SIGKILL to all that is left when the time
is over; the warden notifies by itself, so `NotifyAccess=main` is enough.
"""

import math
from collections.abc import Sequence

from actors.runtime.supervision.shutdown_plan import ShutdownPlan

from .exit_codes import ExitCode

STOP_SPARE_S = 10
"""How much longer than its plan a stop may take before systemd kills: the warden does so by itself somewhat earlier."""
WATCHDOG_S = 30
NOT_WORTH_A_RESTART = (ExitCode.WRONG_USAGE, ExitCode.NOT_FOUND, ExitCode.REFUSED)


def unit_file(
    name: str, *, start: Sequence[str], reload: Sequence[str], stop: ShutdownPlan, start_timeout_s: float, folder: str
) -> str:
    """Give the unit's text; `start` and `reload` are commands with absolute paths."""
    stop_s = "infinity" if stop.bound_s is None else str(math.ceil(stop.bound_s) + STOP_SPARE_S)
    lines = [
        "[Unit]",
        f"Description=Symphony: {_value(name)}",
        "StartLimitIntervalSec=60",
        "StartLimitBurst=5",
        "",
        "[Service]",
        "Type=notify",
        "NotifyAccess=main",
        f"ExecStart={_command(start)}",
        f"ExecReload={_command(reload)}",
        *([f"WorkingDirectory={_value(folder)}"] if folder else []),
        "KillMode=mixed",
        f"TimeoutStartSec={math.ceil(start_timeout_s) + STOP_SPARE_S}",
        f"TimeoutStopSec={stop_s}",
        f"WatchdogSec={WATCHDOG_S}",
        "Restart=on-failure",
        "RestartSec=1",
        f"RestartPreventExitStatus={' '.join(str(int(code)) for code in NOT_WORTH_A_RESTART)}",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "\n".join(lines) + "\n"


def _command(words: Sequence[str]) -> str:
    return " ".join(_word(word) for word in words)


def _word(text: str) -> str:
    """Quote one word of a command line as systemd reads it (systemd.service, "Command lines")."""
    escaped = _value(text).replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    is_plain = escaped.replace("%%", "").replace("$$", "").translate(_PLAIN) == "" and escaped
    return escaped if is_plain else f'"{escaped}"'


def _value(text: str) -> str:
    return text.replace("%", "%%").replace("\n", " ")


_PLAIN = {ord(character): None for character in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-:=+,@"}
