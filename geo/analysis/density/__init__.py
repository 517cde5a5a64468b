"""Spread incidents over rasters: density, and relative risk against a control. A background, never an outline."""

from geo.analysis.density.kernel import Density, kernel_density
from geo.analysis.density.raster import MOST_CELLS

__all__ = ["MOST_CELLS", "Density", "kernel_density"]
