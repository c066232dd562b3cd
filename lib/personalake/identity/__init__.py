"""Whose event was it: identifiers seen together are linked, and what hangs together is a person."""
