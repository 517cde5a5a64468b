"""Write results as JSON-able documents of one shape and read them back, so that a stored run can be drawn later."""

from geo.analysis.documents.canonical import document_bytes, geojson, plain
from geo.analysis.documents.findings import finding_features, finding_rows, run_document, table
from geo.analysis.documents.hotspots import SEARCHES, hotspots_document, hotspots_from_document
from geo.analysis.documents.rasters import density_from_raster, density_raster

__all__ = [
    "SEARCHES",
    "density_from_raster",
    "density_raster",
    "document_bytes",
    "finding_features",
    "finding_rows",
    "geojson",
    "hotspots_document",
    "hotspots_from_document",
    "plain",
    "run_document",
    "table",
]
