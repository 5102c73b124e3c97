"""Symphony: the core, its ports and the front door. Importing this package imports nothing else."""
