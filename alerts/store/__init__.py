"""The response database: alerts and what people do about them, in SQLite or PostgreSQL."""
