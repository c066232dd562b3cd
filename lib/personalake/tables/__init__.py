"""The tables, each declared once: schema, DDL, comments, keys, erasure, docs and test rows derive from here."""
