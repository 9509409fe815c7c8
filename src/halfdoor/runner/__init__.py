"""Processes that the project's own code runs in: a ladder of sandboxes, and nothing without one."""
