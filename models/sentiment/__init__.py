"""Sentiment of Arabic and English mentions: see docs/models/sentiment.md."""

from models.sentiment.model import SentimentArtefactError, SentimentModel, load

__all__ = ["SentimentArtefactError", "SentimentModel", "load"]
