"""The responder's console: pages over the service, served beside the API; docs/console.md."""

from alerts.console.app import create_app

__all__ = ["create_app"]
