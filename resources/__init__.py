"""Icons, presets and the demo network's weights."""
