"""From text to expressions."""
