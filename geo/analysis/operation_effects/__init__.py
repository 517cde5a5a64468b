"""Say what a joint operation changed, and when that cannot be told."""

from geo.analysis.operation_effects.counts import CountEffect, Places, effect_of_counts
from geo.analysis.operation_effects.difference import Difference, Part, part_difference
from geo.analysis.operation_effects.effect import operation_effect
from geo.analysis.operation_effects.ground import exposure_inside
from geo.analysis.operation_effects.result import NOTES, REASONS, OperationEffect

__all__ = [
    "NOTES",
    "REASONS",
    "CountEffect",
    "Difference",
    "OperationEffect",
    "Part",
    "Places",
    "effect_of_counts",
    "exposure_inside",
    "operation_effect",
    "part_difference",
]
