"""Concrete adapters, one folder a port; none knows another."""
