"""Arithmetic on frames: no database, no files, no web, no clock."""
