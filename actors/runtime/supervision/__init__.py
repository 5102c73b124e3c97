"""Supervision: who is restarted, when, with whom, and who gives up.

Pure: `spec` (checked when built), `strategy` (what an exit means), `machine` with `child`, `layers`, `procession` and
`window_clock` (what happens in which order), `difference` (reloads), `lint`, `shutdown_plan`, `liveness` and `progress` (hangs).
Shells: `supervisor` (signals to events), `shell` (effects on children), `handle` with `orders` and `promises` (who wants what).
"""
