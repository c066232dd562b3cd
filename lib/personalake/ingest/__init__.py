"""Ingest: from raw logs of many shapes to one events table, by configuration alone."""
