"""Comparing solvers: every one on every problem of a suite, with every budget and seed.

plan        the searches
runner      running them
results     what they found, measured again
report      tables and pictures of that; document, plots and statistics serve it
archive     a comparison in one small file
"""
