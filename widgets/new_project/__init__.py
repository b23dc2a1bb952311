"""The sections of the new-project form."""
