"""The configuration: ``nadhir.yaml``, ``NADHIR_`` variables, and every mistake named at once."""

from streams.config.load import DEFAULT_FILE, check, example, load
from streams.config.problems import ConfigError, Problem, format_problem
from streams.config.receivers import ConsoleReceiver, JournalReceiver
from streams.config.schema import BrandSettings, Config, CsvSource, FileSource
from streams.config.settings import settings_table

__all__ = [
    "DEFAULT_FILE",
    "BrandSettings",
    "Config",
    "ConfigError",
    "ConsoleReceiver",
    "CsvSource",
    "FileSource",
    "JournalReceiver",
    "Problem",
    "check",
    "example",
    "format_problem",
    "load",
    "settings_table",
]
