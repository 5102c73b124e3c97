"""Kills, cuts and damage; each test is named for its fault."""
