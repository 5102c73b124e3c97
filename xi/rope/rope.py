"""Rope: an immutable text, addressed by UTF-8 byte offsets and by lines counted from 0.

A thin face on `xi.rope.tree`: it checks what callers hand in, so that the tree may trust its arguments. A line ends behind its
newline, so a text of n newlines has n + 1 lines, and the empty text has one.
"""

from typing import Final

from xi.rope import tree


class Rope:
    """A text; every method is pure and takes O(log n) beside the bytes it returns. Build one with `of` or `from_bytes`."""

    __slots__ = ("_last_line", "_root")

    def __init__(self, root: tree.Node) -> None:
        self._root: Final = root
        # The last offset asked for and its line: one key press asks for the caret's line six times over. Replaced whole, so that
        # threads may race for it.
        self._last_line = (0, 0)

    @classmethod
    def of(cls, text: str) -> "Rope":
        """Return the rope of `text`."""
        return cls(tree.build(text.encode()))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Rope":
        """Return the rope of UTF-8 `data`; raises UnicodeDecodeError when it is not UTF-8."""
        if not data.isascii():
            data.decode()
        return cls(tree.build(data))

    def __len__(self) -> int:
        return self._root.length

    def __bytes__(self) -> bytes:
        return tree.read(self._root, 0, self._root.length)

    def __str__(self) -> str:
        return bytes(self).decode()

    def __repr__(self) -> str:
        return f"<Rope of {len(self)} bytes, {self.line_count} lines>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rope):
            return NotImplemented
        return self._root is other._root or (len(self) == len(other) and bytes(self) == bytes(other))

    __hash__ = None  # type: ignore[assignment] # equal ropes may be cut differently, and hashing 10 MB by accident would hurt

    @property
    def line_count(self) -> int:
        """Number of lines: newlines plus one."""
        return self._root.newlines + 1

    def slice(self, start: int, end: int) -> bytes:
        """Return the bytes `[start, end)`; raises IndexError when they are not all there."""
        self._check(start, end)
        return tree.read(self._root, start, end)

    def replace(self, start: int, end: int, text: bytes) -> "Rope":
        """Return the rope in which UTF-8 `text` stands for `[start, end)`.

        Raises IndexError when the range is not in the text, ValueError when it cuts a code point.
        """
        self._check(start, end)
        return Rope(tree.replaced(self._root, start, end, text))

    def line_of_offset(self, offset: int) -> int:
        """Return the number of the line that holds `offset`; the end of the text belongs to the last line."""
        last_offset, line = self._last_line
        if offset != last_offset:
            self._check(offset, offset)
            line = tree.newlines_before(self._root, offset)
            self._last_line = (offset, line)
        return line

    def offset_of_line(self, line: int) -> int:
        """Return where `line` begins; a line past the last begins at the end of the text."""
        if line <= 0:
            return 0
        return tree.offset_after_newline(self._root, line) if line <= self._root.newlines else self._root.length

    def check_invariants(self) -> None:
        """Raise AssertionError when the tree underneath is not well formed."""
        tree.check_invariants(self._root)

    def _check(self, start: int, end: int) -> None:
        if not 0 <= start <= end <= self._root.length:
            raise IndexError(f"[{start}, {end}) is not within a text of {self._root.length} bytes")
