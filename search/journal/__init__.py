"""The journal of a campaign: every event, durable, wherever its folder lies."""
