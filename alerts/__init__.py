"""The alert's life: fusion, explanation, playbook, store."""
