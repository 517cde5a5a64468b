"""Tests by what they need: nothing, a database, the API, a browser."""
