"""The five rule machines."""
