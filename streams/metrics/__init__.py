"""Metrics in Prometheus' format; docs/metrics.md lists them, a test holds the two together.

Nothing here is global: the command makes one `prometheus_client.CollectorRegistry`, and what has
something to tell registers with it.
"""
