"""The actor runtime (`runtime`) and Symphony's own actors; `tree` shows how they hang together."""
