"""`loihi-gym play`: a person moves the pieces of a network in a browser, against a search.

The page draws with the leaderboard's scripts and is served behind the measurement server's gate.
"""
