"""The command line.  Data goes to standard output; progress and logs go to standard error.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.
"""

import os

# what is multiplied here is small: more threads only wait for each other, a core for each;
# NumPy reads it once
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from streams.cli.main import main

__all__ = ["main"]
