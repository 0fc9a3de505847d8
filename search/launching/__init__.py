"""A launch from its settings to its end, resumed or new."""
