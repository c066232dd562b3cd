"""What tags can be told."""

from __future__ import annotations

from pydantic import Field

from personalake.settings import Section


class Tags(Section):
    """Where the rules are."""

    file: str = Field("tags.yaml", description="YAML file of the tag rules; relative to the conf file that names it")
