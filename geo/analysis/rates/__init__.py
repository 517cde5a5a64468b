"""Compare counts and rates honestly: tests, intervals, ranks that noise cannot tell apart, falls to expect anyway."""

from geo.analysis.rates.counts import Ratio, e_test, rate_ratio
from geo.analysis.rates.displacement import Displacement, weighted_displacement_difference
from geo.analysis.rates.periods import Comparison, compare_periods
from geo.analysis.rates.proportions import Proportion, wilson_bounds, wilson_interval
from geo.analysis.rates.ranks import RankBands, rank_bands
from geo.analysis.rates.regression import Regression, regression_to_the_mean

__all__ = [
    "Comparison",
    "Displacement",
    "Proportion",
    "RankBands",
    "Ratio",
    "Regression",
    "compare_periods",
    "e_test",
    "rank_bands",
    "rate_ratio",
    "regression_to_the_mean",
    "weighted_displacement_difference",
    "wilson_bounds",
    "wilson_interval",
]
