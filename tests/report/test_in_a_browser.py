"""The page in a real browser: nothing in its console, nothing sticks out of a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from personalake.report.build import render, sections
from personalake.report.gather import Answers
from personalake.report.settings import Report
from report.made_up_answers import made_up

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr",
)  # fmt: skip
# Added for the test only: says how far the page is wider than its window. The page itself has no script.
WIDTH = "<script>document.title = 'wider by ' + (document.documentElement.scrollWidth - innerWidth)</script></body>"


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)} is installed")
    return found


def run(browser: str, folder: Path, page: Path, width: int, *more: str) -> subprocess.CompletedProcess[str]:
    flags = [*FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},2000", *more]
    return subprocess.run([browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=180, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 500])
def test_it_shows_without_a_word_in_the_console(browser: str, tmp_path: Path, width: int):
    settings = Report()
    html = render(sections(Answers(made_up(), {}), settings), date(2024, 3, 31), settings)
    page = tmp_path / "report.html"
    page.write_text(html, encoding="utf-8")
    shown = run(browser, tmp_path, page, width, f"--screenshot={tmp_path / 'page.png'}")
    assert not re.findall(r".*CONSOLE.*", shown.stderr)
    assert (tmp_path / "page.png").stat().st_size > 30_000
    probe = tmp_path / "probe.html"
    probe.write_text(re.sub(r"<meta http-equiv.*?>", "", html).replace("</body>", WIDTH), encoding="utf-8")
    document = run(browser, tmp_path, probe, width, "--dump-dom").stdout
    assert re.findall(r"wider by (-?\d+)", document)[:1] == ["0"]
