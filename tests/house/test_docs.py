"""What the documents say is so: commands parse, YAML holds, links lead somewhere, generated pages are fresh."""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from house.source import ROOT
from personalake import commands, errors
from personalake.config import described, load_settings
from personalake.flow import FLOW
from personalake.ingest.refuse import REASONS
from personalake.ingest.source import EVENT_TYPES, Source
from personalake.operate import QUERIES
from personalake.recommend.reasons import templates
from personalake.recommend.rules.load import KINDS as RULE_KINDS
from personalake.reference import PAGES
from personalake.views.definitions import ALL as VIEWS

GENERATED = {
    "settings": "docs/settings.md",
    "tables": "docs/data-dictionary.md",
    "views": "docs/views.md",
    "features": "docs/features.md",
}
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md")
)
READMES = ("README.md", "README.zh.md")


class Block(NamedTuple):
    """A fenced block of a document."""

    document: str
    language: str
    text: str


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    found = (
        Block(document, match[1], match[2])
        for document in DOCUMENTS
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text_of(document), re.MULTILINE | re.DOTALL)
    )
    return [block for block in found if block.language in languages]


def prose(document: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(document), flags=re.MULTILINE | re.DOTALL)


def words_of(line: str) -> Iterator[list[str]]:
    """The simple commands of a shell line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if word and set(word) <= set("();<>|&"):
            if command:
                yield command
            command = []
        else:
            command.append(word)


def shell_commands() -> list[tuple[str, list[str]]]:
    """Document and words of each command: those in blocks, and those of ours within the text."""
    found = []
    for block in blocks("bash", "sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            found += [(block.document, words) for words in words_of(line)]
    for document in DOCUMENTS:
        for span in re.findall(r"`((?:\.venv/bin/)?(?:personalake|make) [^`<…]+)`", prose(document)):
            found += [(document, words) for words in words_of(span.replace("\n", " "))]
    return found


def our_arguments(words: list[str]) -> list[str] | None:
    """The arguments of `personalake` in a command, also where a job stands for it; None where it is another's."""
    words = [word for word in words if word != "…"]
    for place, word in enumerate(words):
        if word.endswith("bin/personalake") or word == "personalake":
            return words[place + 1 :] if place == 0 else None
        if job := re.search(r"jobs/(\w+\.py)$", word):
            main = re.search(r'main\(\["(\w+)"', (ROOT / "jobs" / job[1]).read_text(encoding="utf-8"))
            assert main is not None, job[1]
            return [main[1], *words[place + 1 :]]
    return None


OURS = [
    pytest.param(arguments, id=f"{document}: {' '.join(arguments)[:60]}")
    for document, words in shell_commands()
    if (arguments := our_arguments(words))
]


@pytest.mark.parametrize("arguments", OURS)
def test_a_command_in_the_documents_parses(arguments: list[str]):
    name, *rest = arguments
    if name.startswith("-"):
        return
    assert name in commands.cli.commands, name
    command = commands.cli.commands[name]
    if isinstance(command, click.Group):
        name, *rest = rest
        command = command.commands[name]
    context = command.make_context(name, list(rest), parent=click.Context(commands.cli))
    given = [path for path in context.params["conf"] if path.startswith(("conf/", "examples/"))]
    load_settings([str(ROOT / path) for path in given], context.params["overrides"])


def test_every_target_of_make_is_there():
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    told = {
        (document, word)
        for document, words in shell_commands()
        if words[0] == "make"
        for word in words[1:]
        if re.fullmatch(r"[a-z-]+", word)
    }
    assert {(document, word) for document, word in told if word not in targets} == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_fresh(page: str):
    assert text_of(GENERATED[page]) == PAGES[page](), f"run `make docs`: {GENERATED[page]} is stale"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        file = (ROOT / document).parent / path if path else ROOT / document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_yaml_holds(tmp_path: Path):
    for number, block in enumerate(blocks("yaml")):
        content = yaml.safe_load(block.text)
        if "entity" in content:
            Source.model_validate({**content, "name": f"source_{number}"})
        else:
            file = tmp_path / f"{number}.yaml"
            file.write_text(block.text, encoding="utf-8")
            load_settings([str(file)])


def test_every_import_and_json_holds():
    for block in blocks("python"):
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("personalake"):
                module = importlib.import_module(str(node.module))
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == [], block.document
    for block in blocks("json"):
        json.loads(block.text)


def test_every_setting_and_view_that_is_named_exists():
    names = {name for name, _, _ in described()}
    sections = {name.split(".")[0] for name in names if "." in name}
    spans = {span for document in DOCUMENTS for span in re.findall(r"`([a-z_]+\.[a-z_]+)`", prose(document))}
    spans = {span for span in spans if not span.endswith((".py", ".yaml"))}
    assert {span for span in spans if span.split(".")[0] in sections and span not in names} == set()
    told = {word for document in DOCUMENTS for word in re.findall(r"\b[a-z0-9_]+_v\d\b", text_of(document))}
    assert told - VIEWS.keys() == set()


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_has_the_queries_of_the_demo(readme: str):
    assert [query for query in QUERIES if query not in text_of(readme)] == []


def test_both_readmes_show_the_same():
    code = blocks("bash", "yaml", "python")
    first, second = ([shown(block) for block in code if block.document == readme] for readme in READMES)
    assert first == second


def shown(block: Block) -> str:
    """A block without its remarks, which are translated."""
    return re.sub(r"\s+# .*$", "", block.text, flags=re.MULTILINE)


def test_the_architecture_tells_each_stage_as_it_is():
    text = text_of("docs/architecture.md")
    for stage in FLOW:
        row = re.search(rf"^\| {stage.name} \| (.*?) \| (.*?) \| (yes|no) \|$", text, re.MULTILINE)
        assert row is not None, stage.name
        assert row[2] == ", ".join(table.name for table in stage.writes)
        assert row[1] == (", ".join(table.name for table in stage.reads) or "raw files")
        assert row[3] == ("yes" if stage.needs_as_of else "no")


def test_the_page_on_sources_tells_every_key_verb_and_code():
    text = text_of("docs/sources.md")
    keys = [field.alias or name for name, field in Source.model_fields.items() if name != "name"]
    assert set(re.findall(r"^\| `(\w+)` \| (?:all|csv|event|item)", text, re.MULTILINE)) == set(keys)
    assert {verb for verb in EVENT_TYPES if f"`{verb}`" not in text} == set()
    assert re.findall(r"^\| `(ING-\d+)` \|", text, re.MULTILINE) == list(REASONS)


def test_the_page_on_lists_tells_every_rule_and_every_reason():
    text = text_of("docs/lists.md")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)) == set(RULE_KINDS)
    assert re.findall(r"^\| `(REC-\d+)` \|", text, re.MULTILINE) == sorted(templates().sentences)


def test_the_page_on_operations_tells_every_command_and_every_kind_of_error():
    text = text_of("docs/operations.md")
    told = set(re.findall(r"^\| `([a-z-]+)(?: [A-Z_]+)?` \|", text, re.MULTILINE))
    assert commands.cli.commands.keys() - told == set()
    kinds = [kind for kind in errors.PersonalakeError.__subclasses__() if kind is not errors.QualityError]
    assert [kind.heading for kind in kinds if kind.heading not in text] == []


def test_every_setting_has_its_words():
    assert [name for name, meaning, _ in described() if not meaning.strip()] == []
