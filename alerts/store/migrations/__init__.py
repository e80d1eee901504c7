"""Migrations of the response database, run by alerts/store/migrate.py."""
