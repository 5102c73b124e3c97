"""Whole trees of real supervisors' machines over fake processes, on a fake clock, from one seed."""
