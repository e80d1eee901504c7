"""Accounts that act together: traces, groups, and what they are of a window."""
