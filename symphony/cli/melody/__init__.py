"""`symphony melody`: workflows, one module a command."""
