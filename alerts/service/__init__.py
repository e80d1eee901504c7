"""What can be done with alerts: each use case one transaction."""

from alerts.service.desk import Desk
from alerts.service.tx import Escalator, Policy
from alerts.service.writing import Answer, Once

__all__ = ["Answer", "Desk", "Escalator", "Once", "Policy"]
