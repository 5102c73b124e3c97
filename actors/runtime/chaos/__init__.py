"""Chaos: which faults there are, what of a tree they may hit, a plan of them from one seed, and the ledger of what came of it."""
