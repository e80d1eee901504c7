"""Sentences in Arabic and English, kept as data (explain.yaml) and filled with facts."""

from alerts.texts.phrases import Phrases, load_phrases

__all__ = ["Phrases", "load_phrases"]
