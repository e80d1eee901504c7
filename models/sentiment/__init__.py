"""Sentiment of Arabic and English mentions, and offence in them: see docs/models/."""

from models.sentiment.artefact import SentimentArtefactError
from models.sentiment.model import OffensiveModel, SentimentModel, load, load_offensive

__all__ = ["OffensiveModel", "SentimentArtefactError", "SentimentModel", "load", "load_offensive"]
