"""What concepts do to the classes of a network."""
