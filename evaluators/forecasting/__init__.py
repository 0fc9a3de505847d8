"""Learning curves, and forecasts of them from a function's shape."""
