"""What the text commands do, as pure functions: text, selection and settings in, delta out."""

from xi.editor.config import Config
from xi.editor.graphemes import backspace_boundary
from xi.editor.movement import Movement, moved_region
from xi.editor.selection import Region, Selection
from xi.rope.delta import Delta, Replacement
from xi.rope.rope import Rope


def insert(selection: Selection, chars: str) -> Delta:
    """Put `chars` in the place of each region."""
    text = chars.encode()
    return Delta.of(Replacement(region.low, region.high, text) for region in selection.regions)


def surrounding_pair(selection: Selection, config: Config, chars: str) -> tuple[str, str] | None:
    """Return the pair that typing `chars` wraps the regions in: only when every region has something to wrap."""
    if selection.has_caret:
        return None
    return next((pair for pair in config.surrounding_pairs if pair[0] == chars), None)


def surround(selection: Selection, pair: tuple[str, str]) -> Delta:
    """Wrap each region in `pair`; regions that touch share their edge, where the closing half of the left one comes first."""
    inserts: dict[int, str] = {}
    for region in selection.regions:
        inserts[region.low] = inserts.get(region.low, "") + pair[0]
        inserts[region.high] = inserts.get(region.high, "") + pair[1]
    return Delta.of(Replacement(offset, offset, chars.encode()) for offset, chars in inserts.items())


def paste(selection: Selection, chars: str) -> Delta:
    """Insert; but one line into each region where there are as many lines as regions, and more than one."""
    lines = chars.removesuffix("\n").split("\n")
    if len(lines) == 1 or len(lines) != len(selection.regions):
        return insert(selection, chars)
    pairs = zip(selection.regions, lines, strict=True)
    return Delta.of(Replacement(region.low, region.high, line.removesuffix("\r").encode()) for region, line in pairs)


def insert_tab(text: Rope, selection: Selection, config: Config) -> tuple[Delta, bool]:
    """Move on to the next tab stop, or indent the lines of a region that has several; also say whether lines were indented."""
    replacements: list[Replacement] = []
    indented: set[int] = set()
    for region in selection.regions:
        first, last = lines_of(text, region)
        if last > first:
            indented.update(range(first, last + 1))
            continue
        column = region.start - text.offset_of_line(text.line_of_offset(region.start))
        chars = " " * (config.tab_size - column % config.tab_size) if config.translate_tabs_to_spaces else "\t"
        replacements.append(Replacement(region.low, region.high, chars.encode()))
    tab = config.tab_text.encode()
    # A caret at the start of a line that another region indents would insert at the same place: the indent is enough.
    taken = {r.start for r in replacements}
    starts = (text.offset_of_line(line) for line in sorted(indented))
    replacements += [Replacement(start, start, tab) for start in starts if start not in taken]
    return Delta.of(replacements), bool(indented) or len(selection.regions) > 1


def delete_backward(text: Rope, selection: Selection, config: Config) -> Delta:
    """Delete regions; before a caret, spaces back to the tab stop if nothing else is there, else a character."""
    return _delete([Region(_backspace(text, r.end, config) if r.is_caret else r.low, r.high) for r in selection.regions])


def delete_by_movement(text: Rope, selection: Selection, movement: Movement, height: int) -> tuple[Delta, str]:
    """Delete regions; at a caret, what `movement` passes. Also return what was deleted, for the kill ring."""
    doomed = Selection.of(
        moved_region(movement, region, text, height, modify=True) if region.is_caret else region for region in selection.regions
    )
    return _delete(list(doomed.regions)), extracted(text, doomed) or ""


def delete_regions(selection: Selection) -> Delta:
    """Delete what is selected."""
    return _delete(list(selection.regions))


def extracted(text: Rope, selection: Selection) -> str | None:
    """Return what is selected, a line feed between regions; None when nothing is."""
    parts = [text.slice(region.low, region.high).decode() for region in selection.regions if not region.is_caret]
    return "\n".join(parts) if parts else None


def lines_of(text: Rope, region: Region) -> tuple[int, int]:
    """Return the first and the last line that a region covers; one that ends at a line's start does not cover that line."""
    first, last = text.line_of_offset(region.low), text.line_of_offset(region.high)
    return first, last - 1 if last > first and text.offset_of_line(last) == region.high else last


def _backspace(text: Rope, offset: int, config: Config) -> int:
    if config.translate_tabs_to_spaces and config.use_tab_stops:
        column = offset - text.offset_of_line(text.line_of_offset(offset))
        size = column % config.tab_size or config.tab_size
        stop = max(0, offset - size)
        if stop < offset and not text.slice(stop, offset).strip(b" "):
            return stop
    return backspace_boundary(text, offset) or 0


def _delete(regions: list[Region]) -> Delta:
    """Delete regions of which neighbours may overlap: two carets can reach for the same text."""
    merged: list[Replacement] = []
    for region in sorted(regions, key=lambda r: r.low):
        if merged and region.low < merged[-1].end:
            merged[-1] = Replacement(merged[-1].start, max(merged[-1].end, region.high), b"")
        else:
            merged.append(Replacement(region.low, region.high, b""))
    return Delta.of(merged)
