"""Personalake: one picture of each person from the logs of many platforms, and what to do with it."""

__version__ = "0.1.0"
