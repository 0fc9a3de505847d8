"""The loop: ask, score, record, tell, until it is time to stop."""
