"""Adapters of ExtensionPort."""
