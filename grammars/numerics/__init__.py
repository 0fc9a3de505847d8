"""Expressions as numbers: compiled f and f', fingerprints, evaluation of many at once."""
