"""Adapters of ConductorPort."""
