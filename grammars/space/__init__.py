"""The search space: which expressions a grammar allows, drawn, counted and fitted."""
