"""Nodes: OS processes that run a part of the tree. `host` is the parent's side, `process` the child's, `channel` lies between."""
