"""Guess how large an archive will be, so that nobody starts a download that their line cannot carry."""

from __future__ import annotations

from geo.io.export_fields import FIELDS, SHAPES

# Bytes of an archive for each cell of a row, and for each corner of a shape; measured on demo provinces and
# rounded up. See docs/reference/exports.md.
_PER_CELL = {
    "csv": 1.9,
    "geojson": 2.1,
    "kml": 2.6,
    "gpkg": 3.5,
    "fgb": 2.4,
    "shp": 3.0,
    "parquet": 2.0,
    "xlsx": 5.2,
}
_PER_CORNER = {
    "csv": 9.0,
    "geojson": 9.0,
    "kml": 9.0,
    "gpkg": 16.0,
    "fgb": 16.0,
    "shp": 13.0,
    "parquet": 16.0,
    "xlsx": 10.0,
}
# The README, and what an empty file of the form takes by itself.
_BASE_BYTES = {"gpkg": 14_000, "parquet": 9_000, "xlsx": 6_000}
_LEAST_BYTES = 3_000


def estimated_bytes(what: str, form: str, *, rows: int, corners: int) -> int:
    """Return roughly how many bytes an archive takes.

    Parameters
    ----------
    what, form : str
        Keys of `geo.io.export_fields.SHAPES` and of a form.
    rows, corners : int
        Rows, and corners of all their shapes together.

    Returns
    -------
    int
        To two digits: it is a guess and should look like one.
    """
    cells = rows * len(FIELDS[what])
    # The corner of a point is a cell like any other.
    shapes = 0 if SHAPES[what] == "Point" else corners
    exact = _BASE_BYTES.get(form, _LEAST_BYTES) + cells * _PER_CELL[form] + shapes * _PER_CORNER[form]
    return int(float(f"{exact:.1e}"))
