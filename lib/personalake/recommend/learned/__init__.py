"""A blend that is learned: which candidates of which algorithms were taken up in the days that followed."""

from __future__ import annotations

from personalake.recommend.learned.ranker import Ranker, fit_ranker
from personalake.recommend.learned.settings import Learned

__all__ = ["Learned", "Ranker", "fit_ranker"]
