"""What persons will do next: MLlib models of profiles as of a day and of what came after it."""

from __future__ import annotations

from personalake.predict.settings import Predict

__all__ = ["Predict"]
