"""Doors: HTTP, command line, worker."""
