"""One extraction by several processes, on one machine or on several that share a file system."""
