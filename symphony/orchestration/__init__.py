"""Use cases: what Symphony does, said only through ports."""
