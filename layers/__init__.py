"""Pictures: results in, Folium layers and HTML out."""
