"""Buffers and views on top of the rope: what a document is, and what a frontend is shown of it."""
