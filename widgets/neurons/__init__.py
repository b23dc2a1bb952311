"""The neuron browser."""
