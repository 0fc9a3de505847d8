"""Equal expressions in one form, and how they are printed."""
