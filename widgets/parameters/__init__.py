"""The parameters of an analysis."""
