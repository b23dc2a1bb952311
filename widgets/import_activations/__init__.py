"""The form that takes over activations that were computed elsewhere."""
