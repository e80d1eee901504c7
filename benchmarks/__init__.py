"""Speed of Nadhir, as ratios measured side by side in one run (`make bench`)."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line has it
