"""Trainings outside the race: comparisons, ablations, measurements of one's own."""
