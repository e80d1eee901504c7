"""Speed of Nadhir, as ratios measured side by side in one run (`make bench`)."""

import os

# what is measured runs on one thread, as under the command line; NumPy reads this once, and
# processes that are started have it, too
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
