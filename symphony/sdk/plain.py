"""Plain data: what may cross between Symphony and an extension.

None, bool, int of 64 bits, float, str, bytes, list (a tuple arrives as a list) and dict with text keys, nested at most so deep.
msgspec would also carry dates, sets, Structs and msgpack's extension types; each arrives as something else than was sent.
"""

from collections.abc import Iterable
from types import NoneType

MAX_DEPTH = 64
"""How deep lists and dicts may be nested. Deep data is an attack on whoever walks it by recursion."""

_LEAVES = frozenset({NoneType, bool, int, float, str, bytes})


def plain_problem(value: object, *, max_depth: int = MAX_DEPTH) -> str | None:
    """Say where and why `value` is not plain data, or None where it is. Walks without recursion, so cycles end too."""
    unseen: list[tuple[object, tuple[object, ...]]] = [(value, ())]
    while unseen:
        found, place = unseen.pop()
        children: Iterable[tuple[object, object]]
        if isinstance(found, dict):
            wrong = next((key for key in found if not isinstance(key, str)), None)
            if wrong is not None:
                return f"{_path(place)}a key is {_a(wrong)}; keys are text"
            children = found.items()
        elif isinstance(found, list | tuple):
            children = enumerate(found)
        elif isinstance(found, tuple(_LEAVES)):
            continue
        else:
            return f"{_path(place)}is {_a(found)}, which is not plain data"
        if len(place) >= max_depth:
            return f"{_path(place[:3])}is nested more than {max_depth} deep"
        unseen.extend((child, (*place, key)) for key, child in children if type(child) not in _LEAVES)
    return None


def _path(place: tuple[object, ...]) -> str:
    return "".join(f"[{step!r}]" for step in place) + (" " if place else "")


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
