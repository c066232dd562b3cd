"""What a source says under `connect`: where its records come from, where that is no folder of files."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from personalake.settings import Section, full_path

# Secrets are named by the environment variable that holds them, and stand nowhere else.
EnvironmentName = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")]
ColumnName = Annotated[str, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_]{0,63})?$")]
_S = TypeVar("_S", bound=Section)
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Jdbc(Section):
    """A table or query of a database, by JDBC."""

    kind: Literal["jdbc"] = Field("jdbc", description="A database")
    url: str = Field(
        pattern=r"^jdbc:[a-z0-9]+:",
        description="JDBC URL without user and password, e.g. jdbc:postgresql://host:5432/shop?sslmode=verify-full",
    )
    user: str = Field("", description="Who reads; SELECT on what is read is all it needs")
    password_env: EnvironmentName = Field("", description="Environment variable that holds the password")
    table: str = Field("", description="Table or view, with its schema where it has one: public.orders")
    query: str = Field("", description="SELECT in place of a table")
    driver: str = Field("", description="Class of the JDBC driver; empty: PostgreSQL's")
    rising: ColumnName = Field(
        "",
        description="Column that rises with each new or changed row, never null: a whole number, date or timestamp; "
        "empty: everything is read each time",
    )
    look_back: float = Field(
        0,
        ge=0,
        description="How far below the highest value read so far a run begins, for rows that were committed late: "
        "seconds of a timestamp, days of a date, units of a number",
    )
    partition_column: ColumnName = Field(
        "", description="Whole number, date or timestamp by which a read is split among connections"
    )
    partitions: int = Field(1, ge=1, le=64, description="Connections at a time, where partition_column is named")
    fetch_size: int = Field(10_000, ge=1, description="Rows a connection holds at a time")
    timeout_seconds: int = Field(3600, ge=1, description="How long a query may take [s]")

    @property
    def extra(self) -> str:
        """The optional jars it needs."""
        return "postgresql" if self.url.startswith("jdbc:postgresql:") else ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = []
        if bool(self.table) == bool(self.query):
            faults.append("connect.table: name either a table or a query.")
        if self.query and (";" in self.query or not re.match(r"\s*(select|with)\b", self.query, re.IGNORECASE)):
            faults.append("connect.query: is no single SELECT.")
        if re.search(r"[?&;](user|password)=|//[^/]*@", self.url, re.IGNORECASE):
            faults.append(
                "connect.url: holds a user or password. Write `user`, and name the password's environment variable in "
                "`password_env`."
            )
        if not self.driver and not self.extra:
            faults.append("connect.driver: is missing. Only PostgreSQL's is known.")
        if self.look_back and not self.rising:
            faults.append("connect.look_back: needs `rising`.")
        if self.partitions > 1 and not self.partition_column:
            faults.append("connect.partitions: needs `partition_column`.")
        return _refused(self, faults)


class Cursor(Section):
    """Each page names the next one by a cursor."""

    kind: Literal["cursor"] = Field("cursor", description="By a cursor")
    parameter: str = Field("cursor", min_length=1, description="Query parameter that takes the cursor")
    next: str = Field(description="Where in a page the next cursor stands, e.g. meta.next; absent or null: the end")


class Number(Section):
    """Pages are numbered."""

    kind: Literal["page"] = Field("page", description="By page number")
    parameter: str = Field("page", min_length=1, description="Query parameter that takes the number")
    first: int = Field(1, ge=0, description="Number of the first page")
    last: str = Field("", description="Where in a page the number of the last one stands; empty: an empty page ends")


class Link(Section):
    """Each answer names the next page in its Link header (RFC 8288)."""

    kind: Literal["link"] = Field("link", description="By the Link header")


class Single(Section):
    """One answer holds everything."""

    kind: Literal["single"] = Field("single", description="One page")


class Rest(Section):
    """An HTTP API that gives pages of JSON."""

    kind: Literal["rest"] = Field("rest", description="An HTTP API")
    url: str = Field(pattern=r"^https?://[^/]+", description="Address of the first page, without query")
    parameters: dict[str, str] = Field(default_factory=dict, description="Query parameters of every page")
    token_env: EnvironmentName = Field("", description="Environment variable that holds the bearer token")
    records: str = Field("", description="Where in a page the list of records stands, e.g. data.items; empty: the page")
    paging: Annotated[Cursor | Number | Link | Single, Field(discriminator="kind")] = Field(
        Single(), description="How pages follow each other"
    )
    next_run: Literal["continue", "restart"] = Field(
        "continue",
        description="Where the run after the last page begins: at that page again, for it may have grown, or at the "
        "first",
    )
    page_limit: int = Field(10_000, ge=1, description="Pages a run reads at most; the next run goes on")
    pages_per_batch: int = Field(50, ge=1, description="Pages that are merged together and then count as read")
    batch_mb: int = Field(32, ge=1, description="A batch ends early beyond so much [MB]")
    page_mb: int = Field(64, ge=1, description="A larger page is refused [MB]")
    timeout_seconds: float = Field(30, gt=0, description="How long the server may be silent [s]")
    attempts: int = Field(6, ge=1, description="How often a page is asked for, after 429, 5xx or a broken connection")
    longest_wait_seconds: float = Field(300, ge=0, description="Longest wait between two attempts [s]")

    @property
    def extra(self) -> str:
        """The optional jars it needs: none."""
        return ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = []
        parts = urlsplit(self.url)
        if "@" in parts.netloc:
            faults.append(
                "connect.url: holds a user or password. Name the token's environment variable in `token_env`."
            )
        if parts.query or parts.fragment:
            faults.append("connect.url: has a query. Write it under `parameters`.")
        if self.token_env and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            faults.append("connect.url: would send the token in clear. Use https.")
        return _refused(self, faults)


class Sasl(Section):
    """How a Kafka broker is told who reads."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field("SCRAM-SHA-512", description="SASL mechanism")
    user: str = Field(min_length=1, description="Who reads")
    password_env: EnvironmentName = Field(min_length=1, description="Environment variable that holds the password")
    is_encrypted: bool = Field(True, description="SASL_SSL; false: SASL_PLAINTEXT")


class Kafka(Section):
    """Topics of Kafka whose values are JSON objects."""

    kind: Literal["kafka"] = Field("kafka", description="Kafka topics")
    servers: tuple[str, ...] = Field(min_length=1, description="Bootstrap servers, host:port")
    topics: tuple[str, ...] = Field(min_length=1, description="Topics")
    start: Literal["earliest", "latest"] = Field("earliest", description="Where the first run of all begins")
    batch_records: int = Field(1_000_000, ge=1, description="Offsets that are merged together and then count as read")
    sasl: Sasl | None = Field(None, description="User and password; empty: none")
    timeout_seconds: int = Field(30, ge=1, description="How long a broker may be silent [s]")

    @property
    def extra(self) -> str:
        """The optional jars it needs."""
        return "kafka"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        faults = [
            f"connect.servers: {server} is no host:port."
            for server in self.servers
            if not re.match(r"\S+:\d+$", server)
        ]
        faults += [
            f"connect.topics: {topic} is no topic. Letters, digits and . _ - only."
            for topic in self.topics
            if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", topic)
        ]
        return _refused(self, faults)


class Delta(Section):
    """Another Delta table: whole at first, then by its change feed."""

    kind: Literal["delta"] = Field("delta", description="A Delta table")
    path: str = Field(min_length=1, description="Folder or URI of the table")

    @field_validator("path")
    @classmethod
    def _full(cls, value: str) -> str:
        return full_path(value)

    @property
    def extra(self) -> str:
        """The optional jars it needs: none."""
        return ""


def _refused(section: _S, faults: list[str]) -> _S:
    if faults:
        raise ValueError("\n".join(faults))
    return section
