"""Files and functions of a user's own, known by their content."""
