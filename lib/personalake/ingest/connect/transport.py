"""One page over HTTP: asked for again while the server is busy or away, refused where it is not what was declared."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from personalake.errors import DataError, Fault
from personalake.ingest.connect.settings import Rest

_BUSY = 429
_GONE = {400, 404, 410, 422}
_RUN_AGAIN = "Run again later; it goes on at this page."


@dataclass(frozen=True)
class Answer:
    """What a server sent."""

    body: bytes
    link: str


class _Away(Exception):
    """The server may answer yet: it is busy, broken, or out of reach."""

    def __init__(self, words: str, wait_seconds: float | None = None) -> None:
        self.words, self.wait_seconds = words, wait_seconds
        super().__init__(words)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to who knows where."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


class Client:
    """Asks one API. The token goes to its own origin only, and stands in no message."""

    def __init__(self, where: str, rest: Rest, token: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.where, self._rest, self._token, self._sleep = where, rest, token, sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def get(self, url: str, is_resumed: bool = False) -> Answer:
        """The answer to a GET.

        Args:
            url: of the API's own origin.
            is_resumed: the url was kept from an earlier run, so the server may have forgotten it.

        Raises:
            DataError: no answer after the allowed attempts, a refusal, another origin, or more bytes than allowed.
        """
        if origin(url) != origin(self._rest.url):
            text = f"the next page is said to be at {plain(url)}, which is another server."
            raise self.fault(text, "It is not asked, for it would get the token.")
        attempts = Retrying(
            stop=stop_after_attempt(self._rest.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_Away),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return attempts(self._ask, url, is_resumed)
        except _Away as away:
            n = self._rest.attempts
            raise self.fault(f"{plain(url)} {away.words} at attempt {n} of {n}.", _RUN_AGAIN) from None

    def fault(self, found: str, todo: str = "") -> DataError:
        """The error of a whole fault of the source."""
        return DataError(Fault(self.where, found, todo))

    def _wait(self, state: RetryCallState) -> float:
        away = state.outcome.exception() if state.outcome else None
        asked = away.wait_seconds if isinstance(away, _Away) else None
        longest = self._rest.longest_wait_seconds
        return wait_random_exponential(multiplier=1, max=longest)(state) if asked is None else asked

    def _ask(self, url: str, is_resumed: bool) -> Answer:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "personalake"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - settings allow http and https only
        try:
            with self._opener.open(request, timeout=self._rest.timeout_seconds) as response:
                return Answer(self._body(response, url), ", ".join(response.headers.get_all("Link") or []))
        except HTTPError as error:
            with error:
                raise self._refusal(error, url, is_resumed) from None
        except URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise self.fault(f"{plain(url)} shows a certificate that is not trusted.") from None
            raise _Away(f"could not be reached ({type(error.reason).__name__})") from None
        except (OSError, http.client.HTTPException) as error:
            raise _Away(f"broke off ({type(error).__name__})") from None

    def _body(self, response: http.client.HTTPResponse, url: str) -> bytes:
        most = self._rest.page_mb << 20
        body = response.read(most + 1)
        if len(body) > most:
            text = f"{plain(url)} gave a page of more than {self._rest.page_mb} MB."
            raise self.fault(text, "Ask for smaller pages, or raise connect.page_mb.")
        if len(body) < int(response.headers.get("Content-Length") or 0):
            raise _Away("broke off within a page")
        return body

    def _refusal(self, error: HTTPError, url: str, is_resumed: bool) -> Exception:
        if error.code == _BUSY or error.code >= 500:
            wait = retry_after(error.headers)
            if wait is not None and wait > self._rest.longest_wait_seconds:
                text = f"{plain(url)} answers {error.code} and wants to be left alone for {wait:.0f} s."
                return self.fault(text, _RUN_AGAIN)
            return _Away(f"answered {error.code}", wait)
        found = f"{plain(url)} answered {error.code}."
        if error.code in (401, 403):
            name = self._rest.token_env
            todo = (
                f"Check the token in {name}." if name else "Name a token's environment variable in connect.token_env."
            )
            return self.fault(found, todo)
        if 300 <= error.code < 400:
            return self.fault(found, "Redirects are not followed. Name the final address in connect.url.")
        if is_resumed and error.code in _GONE:
            return self.fault(
                found,
                "The page to go on at is no longer known there. `personalake ingest --force` begins at the first.",
            )
        return self.fault(found, "Check connect.url and connect.parameters.")


def retry_after(headers: Message) -> float | None:
    """How long a server asks to wait [s]; None where it does not say.

    RFC 9110 §10.2.3: seconds, or a date, which is compared with the server's own.
    """
    said = (headers.get("Retry-After") or "").strip()
    if said.isdecimal():
        return float(said)
    try:
        until, its_now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("Date") or "")
        return max(0.0, (until - its_now).total_seconds())
    except (TypeError, ValueError):
        return None


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def plain(url: str) -> str:
    """An address without its query, which may hold what nobody should read."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
