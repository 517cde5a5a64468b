"""OGC API - Features and Tiles: parameters, documents and answers; the routes are in api/routes/ogc.py."""
