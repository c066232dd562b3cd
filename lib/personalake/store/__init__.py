"""Spark sessions, and the only place that reads and writes tables."""
