"""The kernel's process: `kernel` is the root of the tree, `answers` its clients' questions, `plan` what a warden hands to it."""
