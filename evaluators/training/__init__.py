"""Runs of training, one after the other or together, resumed or new."""
