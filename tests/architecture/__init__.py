"""The rules of the design, as tests."""
