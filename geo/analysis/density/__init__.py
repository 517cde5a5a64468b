"""Spread incidents over rasters: density, and relative risk against a control. A background, never an outline."""

from geo.analysis.density.kernel import Density, kernel_density
from geo.analysis.density.raster import MOST_CELLS
from geo.analysis.density.relative_risk import RelativeRisk, relative_risk_surface

__all__ = ["MOST_CELLS", "Density", "RelativeRisk", "kernel_density", "relative_risk_surface"]
