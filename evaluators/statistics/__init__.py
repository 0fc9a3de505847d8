"""Paired statistics over seeds, and how much a score can be trusted."""
