"""PostGIS: one module per kind of record."""
