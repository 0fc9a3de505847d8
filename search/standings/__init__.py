"""Where a campaign stands: its leaderboard, whence a candidate came, what is exported."""
