"""The command line.  Data goes to standard output; progress and logs go to standard error.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.
"""

from streams.cli.main import main

__all__ = ["main"]
