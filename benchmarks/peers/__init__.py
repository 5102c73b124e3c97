"""The systems that are measured, one module each: Symphony's own runtime, the anchor Pykka, and peers that may be installed."""
