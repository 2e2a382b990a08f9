"""The leaderboard: submissions that are replayed, ranked and shown."""
