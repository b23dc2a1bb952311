"""What Neuron Prism computes: usable without any window, from a notebook or a cluster job."""
