"""Tidies a text: no white space at the ends of lines, one blank line at most, one kind of line end, one final line end."""

import re

from symphony.sdk import Operator, operation

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


class Tidy(Operator):
    """The Operator symphony.tidy. It knows no markup; the README beside it says what that means for Markdown."""

    @operation
    def tidy(self, text: str) -> dict[str, object]:
        """Give the tidied `text`, and in `changes` how many lines of the given one were altered or left out."""
        kept: list[str] = []
        changes = 0
        blank: str | None = None  # the first blank line of a run, kept only if a line with text follows
        for line, end in _LINE.findall(text):
            tidied = line.rstrip(" \t")
            if tidied:
                if blank is not None:
                    kept.append("")
                    changes += blank != "\n"
                    blank = None
                kept.append(tidied)
                changes += line + end != tidied + "\n"
            elif line or end:  # neither is the empty match after the last line end
                changes += blank is not None
                blank = line + end if blank is None else blank
        changes += blank is not None
        return {"text": "".join(f"{line}\n" for line in kept), "changes": changes}
