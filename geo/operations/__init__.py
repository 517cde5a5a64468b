"""Propose joint operations, agree to them, run them, write down what happens, and draw on their shared overlay."""

from geo.operations.acts import ACTS, LIVE, Act, ActName, act_on, allowed_acts
from geo.operations.changing import CHANGEABLE, change_operation
from geo.operations.overlay import MOST_MARKS, change_mark, create_mark, remove_mark
from geo.operations.proposals import (
    Proposal,
    checked_cities,
    checked_lead,
    default_title,
    propose,
    usual_window,
)
from geo.operations.reading import (
    City,
    LogEntry,
    Operation,
    Unit,
    load_log,
    load_operation,
    load_operations,
)
from geo.operations.reports import add_entry, add_unit, remove_unit
from geo.operations.texts import MAX_MARK_TEXT, MAX_TEXT, MAX_TITLE
from geo.operations.windows import Window
from geo.operations.zones import RunZone, find_run_zone, follows_borders, read_run_zones

__all__ = [
    "ACTS",
    "CHANGEABLE",
    "LIVE",
    "MAX_MARK_TEXT",
    "MAX_TEXT",
    "MAX_TITLE",
    "MOST_MARKS",
    "Act",
    "ActName",
    "City",
    "LogEntry",
    "Operation",
    "Proposal",
    "RunZone",
    "Unit",
    "Window",
    "act_on",
    "add_entry",
    "add_unit",
    "allowed_acts",
    "change_mark",
    "change_operation",
    "checked_cities",
    "checked_lead",
    "create_mark",
    "default_title",
    "find_run_zone",
    "follows_borders",
    "load_log",
    "load_operation",
    "load_operations",
    "propose",
    "read_run_zones",
    "remove_mark",
    "remove_unit",
    "usual_window",
]
