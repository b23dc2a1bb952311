"""Grids of images, their thumbnails and the viewer."""
