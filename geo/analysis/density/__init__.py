"""Spread incidents over rasters: density, and relative risk against a control. A background, never an outline."""

from geo.analysis.density.kernel import MOST_CELLS, Density, kernel_density

__all__ = ["MOST_CELLS", "Density", "kernel_density"]
