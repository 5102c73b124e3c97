"""Adapters of PitPort."""
