"""Gymnasium environments, one module each."""
