"""Pure detectors, text analysis and records: no I/O, no clock, no threads."""
