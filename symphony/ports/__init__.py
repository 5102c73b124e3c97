"""What the core needs from the world: four ports and a clock."""

from symphony.ports.clock import Clock
from symphony.ports.conductor import ConductorPort
from symphony.ports.extension import ExtensionEvent, ExtensionPort, ExtensionState
from symphony.ports.pit import PitEvent, PitPort
from symphony.ports.text_editing import BufferState, TextEditingPort, TextEvent

__all__ = [
    "BufferState",
    "Clock",
    "ConductorPort",
    "ExtensionEvent",
    "ExtensionPort",
    "ExtensionState",
    "PitEvent",
    "PitPort",
    "TextEditingPort",
    "TextEvent",
]
