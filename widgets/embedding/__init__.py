"""A neuron's images as points of a plane."""
