"""What runs in a node's process: `main` serves the channel to the kernel, `system` is the node's part of the tree."""
