"""The sparse product behind items like items and persons like persons: three plans, the same rows."""
