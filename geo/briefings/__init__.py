"""Put briefings (会战简报) together from what runs found and what is stored."""

from geo.briefings.assembly import briefing_of_border
from geo.briefings.operations import briefing_of_operation, run_to_brief

__all__ = ["briefing_of_border", "briefing_of_operation", "run_to_brief"]
