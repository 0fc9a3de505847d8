"""What to try next: strategies, racing, the journal of a campaign and its mirror in MLflow."""
