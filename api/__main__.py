"""Let `python -m api` be the console command."""

from api.cli import app

app()
