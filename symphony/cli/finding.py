"""Finding: what one of the doctor's checks found, and what to do about it."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """A check's result. `remedy` is what to do, and is empty where it is well."""

    name: str
    text: str
    remedy: str = ""

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to do."""
        return not self.remedy
