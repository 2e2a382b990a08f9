"""Python's TOML reader; before Python 3.11, where a measurement server may run, `tomli`."""

import sys

if sys.version_info >= (3, 11):  # noqa: UP036
    from tomllib import loads
else:
    from tomli import loads

__all__ = ["loads"]
