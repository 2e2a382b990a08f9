"""Solvers that search mappings under a budget of evaluations, and the session they share."""
