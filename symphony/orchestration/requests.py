"""What may be asked of SymphonyCore: the messages of `/engine/core`, which the command line and every front end send.

Plain tagged Structs: their tags are their names on the wire. Each docstring says what answers it.
"""

from msgspec import Struct

from symphony.domain.ids import RunId
from symphony.domain.text import Edit
from symphony.domain.workflow import Plain, Run, Workflow


class RunMelody(Struct, frozen=True, tag=True):
    """Start a run and do not wait for its end; the same `run` again is the same run. Answered by its `Run`.

    Its extensions are installed first, so that what is wrong with them is said before anything starts. In every answer, texts of
    more than 4,096 characters are left out of the steps' outputs.
    """

    run: RunId
    workflow: Workflow
    inputs: dict[str, Plain]


class GetRun(Struct, frozen=True, tag=True):
    """Give a run as it is. Answered by its `Run`."""

    run: RunId


class ListRuns(Struct, frozen=True, tag=True):
    """Give every run, oldest first. Answered by `Runs`."""


class ReadText(Struct, frozen=True, tag=True):
    """Give the text of the file at the absolute `path`, unsaved edits included. Answered by `Text`."""

    path: str


class EditText(Struct, frozen=True, tag=True):
    """Apply edits, in order, to the file at the absolute `path`, and save it if `save`. Answered by `Text`.

    With `discard`, what was unsaved before is given up first. An edit whose saving is refused is taken back.
    """

    path: str
    edits: tuple[Edit, ...]
    save: bool = False
    discard: bool = False


class Runs(Struct, frozen=True):
    """Runs, oldest first."""

    runs: tuple[Run, ...]


class Text(Struct, frozen=True):
    """A text and where it stands. `pristine` is whether the file has the same."""

    path: str
    text: str
    revision: int
    pristine: bool
    sha256: str


CoreRequest = RunMelody | GetRun | ListRuns | ReadText | EditText
