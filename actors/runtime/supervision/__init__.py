"""Supervision: specs (checked when built), strategy and machine (pure), supervisor (the actor that carries a plan out)."""
