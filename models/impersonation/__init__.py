"""Accounts and links that pass for a brand's own."""
