"""Tools for working on Nadhir; not part of the distribution."""
