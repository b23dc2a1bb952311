"""What the found concept vectors are worth: projections, similarities, and their nulls."""
