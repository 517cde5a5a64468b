"""What happened, where, and what it means."""
