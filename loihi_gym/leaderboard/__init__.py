"""The leaderboard: submissions are mappings, and every score is what replaying them gives."""
