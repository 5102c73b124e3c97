"""The xi-editor backend: a program of its own that speaks xi's frontend protocol over stdio, and knows nothing of Symphony."""
