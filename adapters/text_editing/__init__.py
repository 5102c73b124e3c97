"""Adapters of TextEditingPort."""
