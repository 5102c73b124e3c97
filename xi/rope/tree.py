"""The balanced tree under a rope: leaves of UTF-8 bytes, branches that cache lengths and newline counts.

A B+-tree with path copying: an edit rebuilds the leaf it touches and the branches above it and shares all else, so old versions
stay valid, cost a few KiB each, and make undo a matter of keeping a reference. Leaves are `bytes`, not `str`, because the
protocol counts in UTF-8 bytes, and because counting newlines in bytes and slicing them runs in C at memory speed. All leaves are
equally deep, and no leaf but the single leaf of an empty text is empty; `check_invariants` says the rest.

Everything here is a pure function on immutable values, so any thread may call it.
"""

import itertools

import msgspec

MAX_LEAF = 2048
MIN_LEAF = 512
FILL_LEAF = 1536  # a freshly loaded leaf has room to grow, else the first key typed anywhere would split one
MAX_CHILDREN = 32
MIN_CHILDREN = 8


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """A run of text; `text` begins and ends on code point boundaries."""

    text: bytes
    length: int
    newlines: int


class Branch(msgspec.Struct, frozen=True):
    """Children of one depth, with the sums of their measures."""

    children: "tuple[Node, ...]"
    length: int
    newlines: int


Node = Leaf | Branch


def build(data: bytes) -> Node:
    """Return the tree of `data`, which must be valid UTF-8."""
    return _root(_leaves(data, FILL_LEAF)) if data else leaf(b"")


def leaf(text: bytes) -> Leaf:
    """Return a leaf that has measured itself."""
    return Leaf(text, len(text), text.count(b"\n"))


def replaced(root: Node, start: int, end: int, text: bytes) -> Node:
    """Return the tree in which `text` stands for the bytes `[start, end)`; offsets are in range by the caller's promise.

    Raises ValueError when an offset lies inside a code point.
    """
    nodes = _edited(root, start, end, text)
    return _root(nodes) if nodes else leaf(b"")


def read(node: Node, start: int, end: int) -> bytes:
    """Return the bytes `[start, end)`."""
    while isinstance(node, Branch):
        offset = 0
        for child in node.children:
            after = offset + child.length
            if start < after:
                break
            offset = after
        else:
            return b""
        if end > after:
            parts: list[bytes] = []
            _collect(node, start, end, parts)
            return b"".join(parts)
        node, start, end = child, start - offset, end - offset
    return node.text[start:end]


def newlines_before(node: Node, offset: int) -> int:
    """Return how many newlines stand before `offset`."""
    count = 0
    while isinstance(node, Branch):
        for child in node.children:
            if offset <= child.length:
                break
            offset -= child.length
            count += child.newlines
        node = child
    return count + node.text.count(b"\n", 0, offset)


def offset_after_newline(node: Node, nth: int) -> int:
    """Return the offset just behind the `nth` newline, counted from 1; there must be that many."""
    offset = 0
    while isinstance(node, Branch):
        for child in node.children:
            if nth <= child.newlines:
                break
            nth -= child.newlines
            offset += child.length
        node = child
    return offset + node.length - len(node.text.split(b"\n", nth)[nth])


def check_invariants(root: Node) -> None:
    """Raise AssertionError when the tree is not one this module could have built; for tests and for a live console."""
    _depth_checked(root, is_root=True)


def _depth_checked(node: Node, *, is_root: bool) -> int:
    if isinstance(node, Leaf):
        node.text.decode()
        _claim((node.length, node.newlines) == (len(node.text), node.text.count(b"\n")), "a leaf knows its measures")
        _claim(node.length <= MAX_LEAF and (is_root or node.length >= MIN_LEAF), "a leaf is of fair size")
        return 0
    depths = {_depth_checked(child, is_root=False) for child in node.children}
    _claim(len(depths) == 1, "all leaves are equally deep")
    _claim((2 if is_root else MIN_CHILDREN) <= len(node.children) <= MAX_CHILDREN, "a branch is of fair size")
    _claim(node.length == sum(child.length for child in node.children), "a branch knows its length")
    _claim(node.newlines == sum(child.newlines for child in node.children), "a branch knows its newlines")
    return 1 + depths.pop()


def _claim(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(f"not so in this rope's tree: {what}")


def _collect(node: Node, start: int, end: int, parts: list[bytes]) -> None:
    if isinstance(node, Leaf):
        parts.append(node.text[max(start, 0) : end])
        return
    for child in node.children:
        if end <= 0:
            return
        if start < child.length:
            _collect(child, start, end, parts)
        start -= child.length
        end -= child.length


def _edited(node: Node, start: int, end: int, text: bytes) -> list[Node]:
    """Return the nodes, as deep as `node`, that take its place; none when nothing is left."""
    if isinstance(node, Leaf):
        return _edited_leaf(node.text, start, end, text)
    children = node.children
    first, offset = 0, 0
    while start > offset + children[first].length:
        offset += children[first].length
        first += 1
    last, last_offset = first, offset
    while end > last_offset + children[last].length:
        last_offset += children[last].length
        last += 1
    if first == last:
        new = _edited(children[first], start - offset, end - offset, text)
        if len(new) == 1 and not _is_small(new[0]):
            return [_branch((*children[:first], new[0], *children[last + 1 :]))]
    else:
        new = _edited(children[first], start - offset, children[first].length, text)
        seam = len(new)
        new += _edited(children[last], 0, end - last_offset, b"")
        _mend(new, seam - 1, seam + 1)
    siblings = [*children[:first], *new, *children[last + 1 :]]
    _mend(siblings, first - 1, first + len(new) + 1)
    return _grouped(siblings)


def _edited_leaf(old: bytes, start: int, end: int, text: bytes) -> list[Node]:
    for cut in (start, end):
        if cut < len(old) and old[cut] & 0xC0 == 0x80:
            raise ValueError("an edit may not begin or end inside a UTF-8 code point")
    return _leaves(old[:start] + text + old[end:], MAX_LEAF)


def _mend(nodes: list[Node], low: int, high: int) -> None:
    """Join nodes in the window that an edit has left too small with a neighbour; grow the window where that changes one."""
    index = max(low, 0)
    while index < min(high, len(nodes)) and len(nodes) > 1:
        if not _is_small(nodes[index]):
            index += 1
            continue
        left = index if index + 1 < len(nodes) else index - 1
        before = len(nodes)
        nodes[left : left + 2] = _joined(nodes[left], nodes[left + 1])
        high -= before - len(nodes)
        index = left


def _joined(left: Node, right: Node) -> list[Node]:
    if isinstance(left, Leaf) and isinstance(right, Leaf):
        return _leaves(left.text + right.text, MAX_LEAF)
    if isinstance(left, Branch) and isinstance(right, Branch):
        children = [*left.children, *right.children]
        seam = len(left.children)
        _mend(children, seam - 1, seam + 1)
        return _grouped(children)
    raise AssertionError("siblings in a rope's tree are equally deep")


def _is_small(node: Node) -> bool:
    return node.length < MIN_LEAF if isinstance(node, Leaf) else len(node.children) < MIN_CHILDREN


def _leaves(text: bytes, size: int) -> list[Node]:
    """Cut text into leaves of about equal length, none above `size` by more than the code point at its end."""
    total = len(text)
    if total <= MAX_LEAF:
        return [leaf(text)] if text else []
    pieces = -(-total // (size - 4))
    nodes: list[Node] = []
    start = 0
    for piece in range(1, pieces + 1):
        end = total * piece // pieces
        while end < total and text[end] & 0xC0 == 0x80:
            end += 1
        nodes.append(leaf(text[start:end]))
        start = end
    return nodes


def _branch(children: tuple[Node, ...]) -> Branch:
    length = newlines = 0
    for child in children:
        length += child.length
        newlines += child.newlines
    return Branch(children, length, newlines)


def _grouped(nodes: list[Node]) -> list[Node]:
    """Put nodes under as few branches as may be, of about equal size."""
    total = len(nodes)
    if total <= MAX_CHILDREN:
        return [_branch(tuple(nodes))] if nodes else []
    groups = -(-total // MAX_CHILDREN)
    cuts = [total * group // groups for group in range(groups + 1)]
    return [_branch(tuple(nodes[low:high])) for low, high in itertools.pairwise(cuts)]


def _root(nodes: list[Node]) -> Node:
    while len(nodes) > 1:
        nodes = _grouped(nodes)
    root = nodes[0]
    while isinstance(root, Branch) and len(root.children) == 1:
        root = root.children[0]
    return root
