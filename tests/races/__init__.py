"""Races: every order in which threads may meet in what the runtime shares between them; each with a twin that has the bug."""
