"""Globs: patterns that actor paths fit, for finding actors by where they live.

| in a pattern | fits |
|---|---|
| `*` | any run of characters within one name; alone, one whole name |
| `?` | one character of a name |
| `[a-c_]`, `[!0-9]` | one character of, or not of, a set; a hyphen that is no range comes first or last |
| `**` | any number of names, none too; only as a whole name |
| `/` | the root, alone; else what parts the names |

So `/pool/*` fits the children of `/pool`, `/pool/**` fits `/pool` and all below it, and `/**` fits every path. A pattern fits a
whole path or not at all, and case counts.

Names are matched one at a time, each by what `fnmatch` makes of its part of the pattern, and a `**` goes back only to the last
one before it. (One regular expression for a whole path is tempting, and slow for ever on `/**/a/**/a/**/b`.) A pattern that no
path could fit is refused rather than found to fit nothing: `fnmatch` would read a bracket without an end as itself.
"""

import fnmatch
import re
from collections.abc import Callable, Sequence

from .address import MAX_LENGTH
from .errors import InvalidPathError

_IN_A_NAME = "A-Za-z0-9._"
_SET = rf"\[(?P<set>!?-?(?:[{_IN_A_NAME}](?:-[{_IN_A_NAME}])?)*-?)\]"
_PART = re.compile(rf"(?:[{_IN_A_NAME}*?-]|{_SET})+")
_SETS = re.compile(_SET)
_RANGES = re.compile(rf"([{_IN_A_NAME}])-([{_IN_A_NAME}])")
_MAGIC = re.compile(r"[*?\[]")

Fits = Callable[[str], object]
"""Tells whether one name fits one part of a pattern."""


def matches(pattern: str, path: str) -> bool:
    """Tell whether the actor path fits `pattern`. To try many paths, use `compile_glob`. Raises `InvalidPathError`."""
    return compile_glob(pattern)(path)


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Give the function that tells whether an actor path fits `pattern`; any thread may call it.

    Text that is no path fits nothing. Raises `InvalidPathError` where no path could ever fit the pattern, and says why.
    """
    parts = [_compile_part(part, pattern) for part in _parts_of(pattern)]

    def fits(path: str) -> bool:
        return path.startswith("/") and _fits(parts, [] if path == "/" else path[1:].split("/"))

    return fits


def _parts_of(pattern: str) -> list[str]:
    if len(pattern) > MAX_LENGTH:
        raise InvalidPathError(f"a pattern of {len(pattern)} characters fits no path: they have {MAX_LENGTH} at most")
    if not pattern.startswith("/"):
        raise _refusal(pattern, "it does not start at the root: write `/name`, or `/**/name` for any depth")
    return [] if pattern == "/" else pattern[1:].split("/")


def _compile_part(part: str, pattern: str) -> Fits | None:
    """Give the rule for one name, or None for any number of names."""
    if part == "**":
        return None
    _check_part(part, pattern)
    if part == "*":
        return bool
    if not _MAGIC.search(part):
        return part.__eq__
    return re.compile(fnmatch.translate(part)).match


def _check_part(part: str, pattern: str) -> None:
    if not part:
        raise _refusal(pattern, "a name is empty: no `//`, and no `/` at the end")
    if "**" in part:
        raise _refusal(pattern, f"`**` in {part!r} stands for whole names: write it between two `/`, or `*` within a name")
    if not _PART.fullmatch(part):
        raise _refusal(pattern, _problem_of(part))
    for found in _SETS.finditer(part):
        inside = found["set"]
        if inside in ("", "!"):
            raise _refusal(pattern, f"{found[0]!r} holds no character: write those that fit, as in `[abc]`")
        for first, last in _RANGES.findall(inside):
            if first > last:
                raise _refusal(pattern, f"the range {first}-{last} is empty: write {last}-{first}")


def _problem_of(part: str) -> str:
    without_sets = _SETS.sub("", part)
    if "[" in without_sets or "]" in without_sets:
        return (
            f"{part!r} has brackets that are no set: write `[abc]`, `[a-z]` or `[!0-9]`, with letters, digits, `.`, `_`, and a"
            " hyphen first or last; a set does not reach past a `/`"
        )
    return f"{part!r} has characters that are in no name: use letters, digits, `.`, `_` and `-` beside `*`, `?` and `[...]`"


def _fits(parts: Sequence[Fits | None], names: Sequence[str]) -> bool:
    part = name = 0
    last_any = -1
    name_after_any = 0
    while name < len(names):
        rule = parts[part] if part < len(parts) else _nothing
        if rule is None:
            last_any, name_after_any = part, name
            part += 1
        elif rule(names[name]):
            part += 1
            name += 1
        elif last_any >= 0:
            # Let the last `**` take one name more. What an earlier one could take instead is no better.
            name_after_any += 1
            part, name = last_any + 1, name_after_any
        else:
            return False
    return all(rule is None for rule in parts[part:])


def _nothing(_: str) -> bool:
    return False


def _refusal(pattern: str, why: str) -> InvalidPathError:
    return InvalidPathError(f"{pattern[:80]!r} is no pattern of actor paths: {why}")
