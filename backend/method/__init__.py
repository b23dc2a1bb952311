"""The method of "Disentangling Neuron Representations with Concept Vectors", one module a step."""
