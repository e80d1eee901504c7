"""The response database: alerts and what people do about them, in SQLite or PostgreSQL."""

from alerts.store.database import Database, DatabaseUnavailable, StoreFault

__all__ = ["Database", "DatabaseUnavailable", "StoreFault"]
