"""The process of `symphony up`: `warden` keeps a kernel running, `kernel_watch` judges if it answers. No application code."""
