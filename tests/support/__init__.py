"""Builders and fakes that are of no use outside tests."""
