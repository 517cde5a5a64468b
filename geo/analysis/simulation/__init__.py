"""Simulate: sets in which no hotspot exists, sets with a planted one, and redraws of what is known imprecisely."""

from geo.analysis.simulation.alarms import AlarmRate, alarm_rate
from geo.analysis.simulation.incidents import simulate_incidents
from geo.analysis.simulation.uncertainty import Uncertain, stacked_places, uncertain

__all__ = [
    "AlarmRate",
    "Uncertain",
    "alarm_rate",
    "simulate_incidents",
    "stacked_places",
    "uncertain",
]
