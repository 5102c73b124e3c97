"""Routing: one face before many refs; the strategy picks who gets a message, the router sends it there."""
