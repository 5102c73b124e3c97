"""Bytes to envelopes and back: no sockets, no threads, no clock."""
