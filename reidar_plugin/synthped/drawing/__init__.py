"""Projection, colours, and polygons that are painted from back to front."""
