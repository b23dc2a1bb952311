"""Cards of feature visualisations and their settings."""
