"""The list of a neuron's concepts."""
