"""The guide to the method."""
