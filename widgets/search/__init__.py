"""The search box and the list of what it found."""
