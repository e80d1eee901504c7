"""Fire drills of the embedded engine: a synthetic crisis through the real stages and receivers."""
