"""Notifications: channels that tell people, the stages that may hold one back, the dispatcher.

docs/notifications.md describes them for users.
"""
