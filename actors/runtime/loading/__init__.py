"""Loading a user's own tree: their code is imported by a short-lived process, which gives back data."""
