"""Networks: where they come from, their layers, and reading those."""
