"""What extension authors import; it depends on msgspec alone.

    from symphony.sdk import Operator, RefusedError, operation

    class Shout(Operator):
        @operation
        def shout(self, text: str) -> dict[str, str]:
            if not text:
                raise RefusedError("text: must not be empty")
            return {"text": text.upper()}

An extension is a folder with an `extension.toml` that names such a class. It runs in a process of its own, where it can import
the standard library, its own folder, msgspec and this package, and nothing of the project it serves.
"""

from symphony.sdk.operator import Operator, RefusedError, operation

__all__ = ["Operator", "RefusedError", "operation"]
