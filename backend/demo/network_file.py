"""Where the weights of the demo's network are."""

from pathlib import Path

WEIGHTS = Path(__file__).parents[2] / "resources" / "demo_network.safetensors"
