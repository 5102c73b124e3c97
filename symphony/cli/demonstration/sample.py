"""The sample: a real text with something in it to tidy, the melody that tidies it, and what must come out.

What must come out is computed here in another way than the extension does it, so that the demo does not check a rule by itself.
"""

import re
from pathlib import Path

from symphony.domain.errors import NotFoundError

MELODY = Path("examples/melodies/tidy.melody.toml")
TEXTS = ("README.md", "LICENSE")
UNTIDY = (
    "\n\n\n\nThis line ends with spaces.   \nThis one ends with a tab.\t\n\n \n\t\n\n"
    "And this one has no end at all, after blanks.  "
)
"""Added to the text, so that there is always something to tidy."""


def repository() -> Path:
    """Give the folder that has the examples. Raises `NotFoundError` where there is none beside the packages."""
    root = Path(__file__).parents[3]
    if not (root / MELODY).is_file():
        raise NotFoundError(
            f"{root / MELODY}: no such file; the demo needs the examples, so run it from a checkout of the repository"
        )
    return root


def sample_text(root: Path) -> str:
    """Give the first text that the repository has, with lines added that are not tidy."""
    for name in TEXTS:
        if (root / name).is_file():
            return (root / name).read_text(encoding="utf-8") + UNTIDY
    raise NotFoundError(f"{root}: has none of {', '.join(TEXTS)} to try the demo on")


def tidied(text: str) -> str:
    """Give what the melody must make of `text`: one kind of line end, none after blanks, one blank line at most, one end."""
    text = re.sub(r"\r\n?", "\n", text)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\A\n+", "\n", text)
    text = text.rstrip("\n")
    return text + "\n" if text else ""
