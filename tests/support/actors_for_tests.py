"""Actors that other processes can import."""
