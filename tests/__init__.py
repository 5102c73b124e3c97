"""The test suite: architecture, unit, contract, integration, faults; support holds builders of no use elsewhere."""
