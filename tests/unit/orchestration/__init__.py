"""Unit tests of the part with the same name."""
