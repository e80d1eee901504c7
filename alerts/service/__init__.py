"""What can be done with alerts: each use case one transaction."""

from alerts.service.desk import Answer, Desk, Once
from alerts.service.tx import Escalator, Policy

__all__ = ["Answer", "Desk", "Escalator", "Once", "Policy"]
