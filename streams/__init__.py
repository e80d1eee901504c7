"""Data in motion: sources, the three stages, the engine, the command line."""
