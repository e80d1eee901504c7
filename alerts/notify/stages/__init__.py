"""Stages that may hold a notification back, one a file, each of which says why."""
