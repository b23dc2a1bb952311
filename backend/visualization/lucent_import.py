"""Lucent's parts that are used here, imported after torchvision has been made importable."""

from backend.networks.torchvision_import import import_torchvision

import_torchvision()  # Lucent imports it too, and could not do so by itself everywhere.

from lucent.optvis.param.color import color_correlation_normalized, to_valid_rgb  # noqa: E402
from lucent.optvis.param.spatial import rfft2d_freqs  # noqa: E402
from lucent.optvis.render import render_vis  # noqa: E402

__all__ = ["color_correlation_normalized", "render_vis", "rfft2d_freqs", "to_valid_rgb"]
