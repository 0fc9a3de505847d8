"""One training step of a batch of candidates, written out or by differentiation, and compiled."""
