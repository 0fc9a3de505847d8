"""The front door: a campaign and everything that can be asked of it."""
