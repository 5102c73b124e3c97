"""Reading `extension.toml`: a checked Manifest, or every problem with its file, line, key and rule.

The whole of manifest 1 is known here, so that a slip of the pen is told from what Symphony does not do yet: the first is an
`InvalidRequestError`, the second a `NotBuiltError`. What is not built is refused, never passed over: an extension that asks for
limits or permissions would otherwise run without them.
"""

import re
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from keyword import iskeyword

from symphony.domain.errors import InvalidRequestError, NotBuiltError
from symphony.domain.extension import DataPort, Manifest
from symphony.domain.ids import ExtensionId

FILE_NAME = "extension.toml"
"""The manifest's name in the extension's folder."""

MAX_SIZE = 64 * 1024
"""The most characters of a manifest."""

_MANIFEST = 1
_KINDS = ("instrument", "operator", "motif", "xi-plugin")
_RUNNERS = ("python", "wasm", "command")
_TOP = (
    *("manifest", "id", "name", "version", "kind", "summary", "license", "repository", "requires"),
    *("run", "ports", "permissions", "limits", "contributes"),
)
_REQUIRES = ("runtime", "python", "xi-protocol", "isolation")
_RUN = (*_RUNNERS, "scope", "activate")
_PORT = ("name", "type", "required")
_PERMISSIONS = ("fs", "net", "exec", "env", "secrets", "device", "pit", "ui", "editor", "optional", "reasons")
_BUILT_LIMITS = ("deadline", "startup")
_LIMITS = (
    *_BUILT_LIMITS,
    *("memory", "cpu", "cpu_time", "threads", "fds", "procs", "disk", "messages", "message_size", "log", "idle"),
)
_CONTRIBUTES = ("commands", "panels", "workflows", "languages")
_OURS = frozenset({"symphony", "msgspec"})
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0}

_ID = r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+"
_VERSION = r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?"
_SPECIFIERS = r"\s*(>=|<=|==|!=|>|<)\s*\d+(\.\d+){0,3}\s*(,\s*(>=|<=|==|!=|>|<)\s*\d+(\.\d+){0,3}\s*)*"
_ENTRY = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"
_ACTIVATE = r"on-demand|startup|(command|language|view|event):\S+"
_PORT_NAME = r"[a-z_][a-z0-9_]*"
_MEDIA_TYPE = r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)")
_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]")
_KEY = re.compile(r"""\s*([\w."'-]+)\s*=""")


def read_manifest(text: str, *, source: str) -> Manifest:
    """Give the manifest that `text` holds; `source` is the file's name, for the messages.

    Raises `InvalidRequestError` with every problem, and `NotBuiltError` with everything that a right manifest asks for in vain.
    """
    sheet = _Sheet(source, text)
    try:
        document = tomllib.loads(text) if len(text) <= MAX_SIZE else None
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequestError(f"{source}: it is not TOML: {error}") from error
    except RecursionError:
        raise InvalidRequestError(f"{source}: it is nested too deep") from None
    if document is None:
        raise InvalidRequestError(f"{source}: it has {len(text)} characters; {MAX_SIZE} is the most")
    manifest = _manifest(sheet, document)
    if sheet.problems:
        raise InvalidRequestError(*sheet.problems)
    if sheet.unbuilt:
        raise NotBuiltError("\n".join(sheet.unbuilt))
    return manifest


class _Sheet:
    """The manifest's lines, and what is wrong with it so far. A place is a dotted key: `run.python`, `ports.in[0].name`."""

    def __init__(self, source: str, text: str) -> None:
        self.problems: list[str] = []
        self.unbuilt: list[str] = []
        self._source = source
        self._lines = dict(_places(text))

    def problem(self, place: str, rule: str) -> None:
        """Note that what stands at `place` breaks `rule`."""
        line = next((self._lines[found] for found in _and_parents(place) if found in self._lines), None)
        self.problems.append(f"{self._source}{'' if line is None else f':{line}'}: {place}: {rule}")

    def not_built(self, text: str) -> None:
        """Note that the manifest asks for what is not built."""
        self.unbuilt.append(f"{self._source}: {text}")

    def table(self, parent: Mapping[str, object], key: str, place: str, known: Collection[str]) -> Mapping[str, object]:
        """Give the table `key` of `parent`, empty where it is missing or none."""
        found = parent.get(key, {})
        if not isinstance(found, dict):
            self.problem(place, f"must be a table, not {_shown(found)}")
            return {}
        self.known_keys(found, f"{place}.", known)
        return found

    def known_keys(self, table: Mapping[str, object], prefix: str, known: Collection[str]) -> None:
        """Note every key of `table` that is none of `known`."""
        for key in table:
            if key not in known:
                self.problem(f"{prefix}{key}", f"there is no such key{_suggestion(key, known)}")

    def text(
        self, table: Mapping[str, object], key: str, prefix: str, form: str = "", rule: str = "", *, required: bool = False
    ) -> str:
        """Give the text at `key`, empty where it is missing or wrong. `form` is a pattern, and `rule` says it in words."""
        place = f"{prefix}{key}"
        if key not in table:
            if required:
                self.problem(place, "is missing" + (f"; it {rule}" if rule else ""))
            return ""
        found = table[key]
        if not isinstance(found, str) or not found or len(found) > 200 or not found.isprintable():
            self.problem(place, f"must be a text of 1 to 200 printable characters, not {_shown(found)}")
        elif form and not re.fullmatch(form, found, re.ASCII):
            self.problem(place, f"{rule}, not {_shown(found)}")
        else:
            return found
        return ""


def _manifest(sheet: _Sheet, document: Mapping[str, object]) -> Manifest:
    sheet.known_keys(document, "", _TOP)
    version = document.get("manifest")
    if type(version) is not int or version != _MANIFEST:
        sheet.problem("manifest", f"must be {_MANIFEST}, the only version" + _not(version))
    kind = _kind(sheet, document)
    requires = sheet.table(document, "requires", "requires", _REQUIRES)
    ports = sheet.table(document, "ports", "ports", ("in", "out"))
    limits = _limits(sheet, document)
    entry = _run(sheet, document, kind)
    for name in sheet.table(document, "contributes", "contributes", _CONTRIBUTES):
        if kind in {"operator", "instrument"}:
            sheet.problem(f"contributes.{name}", f"only a motif or an xi-plugin contributes, and this is an {kind}")
    _asked_in_vain(sheet, document)
    if sheet.text(requires, "xi-protocol", "requires.") and kind not in {"xi-plugin", ""}:
        sheet.problem("requires.xi-protocol", "only an xi-plugin requires this")
    if sheet.text(requires, "isolation", "requires.", "full|standard", "must be full or standard"):
        sheet.not_built("requires.isolation: isolation is not built yet, so an extension that requires it is refused")
    specifiers = "must be versions such as >=0.1,<1.0"
    return Manifest(
        id=ExtensionId(sheet.text(document, "id", "", _ID, "must be publisher.name in a-z, 0-9 and -", required=True)),
        name=sheet.text(document, "name", "", required=True),
        version=sheet.text(document, "version", "", _VERSION, "must be a version such as 1.2.0", required=True),
        kind="operator",  # the other kinds are refused before anybody sees this
        summary=sheet.text(document, "summary", "", required=True),
        entry=entry,
        license=sheet.text(document, "license", ""),
        repository=sheet.text(document, "repository", ""),
        runtime=sheet.text(requires, "runtime", "requires.", _SPECIFIERS, specifiers),
        python=sheet.text(requires, "python", "requires.", _SPECIFIERS, specifiers),
        inputs=_ports(sheet, ports, "in"),
        outputs=_ports(sheet, ports, "out"),
        deadline_s=limits.get("deadline"),
        startup_s=limits.get("startup"),
    )


def _kind(sheet: _Sheet, document: Mapping[str, object]) -> str:
    kind = sheet.text(document, "kind", "", required=True)
    if kind and kind not in _KINDS:
        sheet.problem("kind", f"must be one of {', '.join(_KINDS)}, not {_shown(kind)}{_suggestion(kind, _KINDS)}")
        return ""
    if kind and kind != "operator":
        sheet.not_built(f"kind: {kind} extensions are not built yet; operator is")
    return kind


def _run(sheet: _Sheet, document: Mapping[str, object], kind: str) -> str:
    if "run" not in document:
        sheet.problem("run", 'is missing; it says what to run, such as python = "module:Class"')
        return ""
    run = sheet.table(document, "run", "run", _RUN)
    runners = [key for key in _RUNNERS if key in run]
    if len(runners) != 1:
        sheet.problem("run", f"must have exactly one of {', '.join(_RUNNERS)}, not {' and '.join(runners) or 'none'}")
    for runner in runners:
        if runner != "python":
            sheet.not_built(f"run.{runner}: it is not built yet; run.python is")
    if "scope" in run and kind not in {"xi-plugin", ""}:
        sheet.problem("run.scope", "only an xi-plugin has a scope")
    _activation(sheet, run.get("activate", ["on-demand"]))
    entry = sheet.text(run, "python", "run.", _ENTRY, "must be module:Class")
    module = entry.partition(":")[0].partition(".")[0]
    if any(iskeyword(part) for part in re.split("[.:]", entry)):
        sheet.problem("run.python", f"{entry} has a part that is a keyword of Python")
    if module in sys.stdlib_module_names or module in _OURS:
        owner = "Symphony brings" if module in _OURS else "the standard library has"
        sheet.problem("run.python", f"{owner} a module {module}, which would be imported instead; rename yours")
    return entry


def _activation(sheet: _Sheet, activate: object) -> None:
    if not isinstance(activate, list) or not all(isinstance(when, str) for when in activate):
        sheet.problem("run.activate", f"must be a list of texts, not {_shown(activate)}")
        return
    for when in activate:
        if not re.fullmatch(_ACTIVATE, when):
            sheet.problem("run.activate", f"{_shown(when)} is no moment{_suggestion(when, ('on-demand', 'startup'))}")
        elif when != "on-demand":
            sheet.not_built(f"run.activate: {when} is not built yet; on-demand is")


def _ports(sheet: _Sheet, ports: Mapping[str, object], side: str) -> tuple[DataPort, ...]:
    listed = ports.get(side, [])
    if not isinstance(listed, list):
        sheet.problem(f"ports.{side}", f"must be an array of tables, [[ports.{side}]], not {_shown(listed)}")
        return ()
    found: list[DataPort] = []
    for index, port in enumerate(listed):
        place = f"ports.{side}[{index}]"
        table = sheet.table({"port": port}, "port", place, _PORT)
        name = sheet.text(table, "name", f"{place}.", _PORT_NAME, "must be a name in a-z, 0-9 and _", required=True)
        media_type = sheet.text(table, "type", f"{place}.", _MEDIA_TYPE, "must be a media type such as text/plain", required=True)
        required = table.get("required", True)
        if not isinstance(required, bool):
            sheet.problem(f"{place}.required", f"must be true or false, not {_shown(required)}")
        if name and name in {other.name for other in found}:
            sheet.problem(f"{place}.name", f"there is another port {name} on this side")
        found.append(DataPort(name, media_type, required is True))
    return tuple(found)


def _limits(sheet: _Sheet, document: Mapping[str, object]) -> dict[str, float]:
    limits = sheet.table(document, "limits", "limits", _LIMITS)
    found: dict[str, float] = {}
    for key in _BUILT_LIMITS:
        if key not in limits:
            continue
        value = limits[key]
        match = _DURATION.fullmatch(value) if isinstance(value, str) else None
        seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
        if seconds > 0:
            found[key] = seconds
        else:
            sheet.problem(f"limits.{key}", f"must be a time above 0 in ms, s, min or h, such as 5s, not {_shown(value)}")
    return found


def _asked_in_vain(sheet: _Sheet, document: Mapping[str, object]) -> None:
    permissions = sheet.table(document, "permissions", "permissions", _PERMISSIONS)
    limits = document.get("limits")
    asked = [*_leaves(permissions, "permissions")]
    asked += [f"limits.{key}" for key in limits if key not in _BUILT_LIMITS] if isinstance(limits, dict) else []
    if asked:
        text = "permissions and limits are not built yet, so an extension that asks for them is refused"
        sheet.not_built(f"{text}: {', '.join(asked)}")


def _leaves(table: Mapping[str, object], place: str) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}.{key}")
        else:
            yield f"{place}.{key}"


def _places(text: str) -> Iterator[tuple[str, int]]:
    """Give each place of `text` and its line. A reading good enough for messages: text over many lines can deceive it."""
    prefix, counts = "", dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            prefix = header[2].strip()
            if header[1] == "[[":
                counts[prefix] = counts.get(prefix, -1) + 1
                prefix = f"{prefix}[{counts[prefix]}]"
            yield prefix, number
            prefix += "."
        elif key := _KEY.match(line):
            yield prefix + key[1].replace('"', "").replace("'", ""), number


def _and_parents(place: str) -> Iterator[str]:
    while place:
        yield place
        place = place.rpartition(".")[0]


def _suggestion(key: str, known: Collection[str]) -> str:
    close = get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _not(value: object) -> str:
    return "; it is missing" if value is None else f", not {_shown(value)}"
