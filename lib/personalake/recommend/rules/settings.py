"""What the rules can be told."""

from __future__ import annotations

from pydantic import Field

from personalake.settings import Section


class Rules(Section):
    """Where the rules on lists are."""

    file: str = Field(
        "rules.yaml", description="YAML file of the rules on lists; relative to the conf file that names it"
    )
