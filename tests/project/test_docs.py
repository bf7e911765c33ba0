"""The documents say what is there: links, commands and paths, and nothing about who wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from pipelines import quickstart
from pipelines.cli import main as program
from pipelines.settings import CHECKOUT, ROOMS

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
FOLDERS = ("docs", "sources", "expectations", "benchmarks", "dbt_project", "tests")
TOP_FOLDERS = ("pipelines", "dbt_project", "sources", "expectations", "tests", "docs", "benchmarks")
TOP_FOLDERS += (".ci",)
TASKS = ("run", "test", "prepare")  # of the quick start; its own usage line is tested below
MADE_BY_RUNNING = ("dbt_project/target", "dbt_project/logs")

FENCED = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")

# Words of the place where this was written, which mean nothing to a reader of the repository.
# Put together here so that this file does not trip over itself.
OF_THE_WORKPLACE = (
    re.compile(r"(?<![\w.-])/" + r"(work|tmp|root)/"),
    re.compile(r"\bsessions?\b", flags=re.IGNORECASE),
    re.compile(r"\bissue\s*#", flags=re.IGNORECASE),
    re.compile(r"\bissue\s+\d", flags=re.IGNORECASE),
    re.compile(r"\bcontract\.md\b|\barchitecture\.md\b|\bstack\.md\b"),
    re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b"),
)


@dataclass(frozen=True)
class Page:
    """A document: its path in the checkout and its text."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.relative_to(CHECKOUT).as_posix()

    @property
    def prose(self) -> str:
        return FENCED.sub("", self.text)

    def code(self) -> Iterator[str]:
        """Inline code, and each line of fenced code that is not a drawing."""
        yield from INLINE.findall(self.prose)
        for language, block in FENCED.findall(self.text):
            if language != "mermaid":
                yield from (line.strip() for line in block.splitlines() if line.strip())


def _pages() -> list[Page]:
    paths = [CHECKOUT / name for name in PAGES if (CHECKOUT / name).exists()]
    for folder in FOLDERS:
        paths += sorted((CHECKOUT / folder).rglob("*.md"))
    made = tuple(CHECKOUT / folder for folder in MADE_BY_RUNNING)
    return [
        Page(path, path.read_text(encoding="utf-8"))
        for path in paths
        if not any(path.is_relative_to(folder) for folder in made)
    ]


EVERY_PAGE = pytest.mark.parametrize("page", _pages(), ids=lambda page: page.name)


# --- links ----------------------------------------------------------------------


def _anchor(heading: str) -> str:
    """The anchor a heading gets on the usual code hosts."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return plain.replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    return {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


def _broken_links(page: Page) -> list[str]:
    broken = []
    for target in LINK.findall(page.prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.path if not name else page.path.parent / name
        found = path.exists() and path.resolve().is_relative_to(CHECKOUT)
        if not found or (anchor and anchor not in _anchors(path)):
            broken.append(target)
    return broken


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Page) -> None:
    assert _broken_links(page) == []


@pytest.mark.parametrize("target", ["missing.md", "glossary.md#no-such-heading", "../../x.md"])
def test_a_link_that_leads_nowhere_is_found(target: str) -> None:
    page = Page(CHECKOUT / "docs" / "invented.md", f"See [this]({target}).")
    assert _broken_links(page) == [target]


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [CHECKOUT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        for target in LINK.findall(FENCED.sub("", path.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:|#", target):
                waiting.append((path.parent / target.partition("#")[0]).resolve())
    documents = {*(CHECKOUT / "docs").glob("*.md"), *(CHECKOUT / name for name in PAGES)}
    assert {path.name for path in documents - reached} == set()


# --- commands -------------------------------------------------------------------


def _wrong_commands(page: Page) -> list[str]:
    """Calls of our program, or of the quick start, that it does not know."""
    wrong = []
    for line in page.code():
        match = re.match(r"(?:\S*/)?adoption(?= |$)(.*)", line)
        if match and not _is_known_call(match[1]):
            wrong.append(line)
        match = re.match(r"python3? -m pipelines\.quickstart(?= |$)(.*)", line)
        if match and not _is_known_task(match[1]):
            wrong.append(line)
    return wrong


def _is_known_call(arguments: str) -> bool:
    words = arguments.split()
    if not words or words[0] in ("…", "--help", "--version"):
        return True
    if words[0].startswith("--"):
        return {word for word in words if word.startswith("--")} <= _options(program)
    command = program.commands.get(words[0])
    if command is None:
        return False
    known = _options(command)
    return all(word.partition("=")[0] in known for word in words[1:] if word.startswith("--"))


def _options(command: click.Command) -> set[str]:
    options = [option for option in command.params if isinstance(option, click.Option)]
    return {"--help"}.union(*([*option.opts, *option.secondary_opts] for option in options))


def _is_known_task(arguments: str) -> bool:
    words = arguments.split()
    return not words or words[0] in TASKS


@EVERY_PAGE
def test_every_command_that_is_named_exists(page: Page) -> None:
    assert _wrong_commands(page) == []


@pytest.mark.parametrize(
    "line",
    [
        "adoption fly",
        "adoption status --colour",
        "adoption --colour",
        ".venv/bin/adoption fly",
        "python3 -m pipelines.quickstart fly",
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert _wrong_commands(Page(CHECKOUT / "docs" / "invented.md", f"Run `{line}`.")) == [line]
    fenced = Page(CHECKOUT / "docs" / "invented.md", f"```\n{line}\n```\n")
    assert _wrong_commands(fenced) == [line]


def test_every_command_of_the_program_is_explained_somewhere() -> None:
    named = {
        match[1]
        for page in _pages()
        for line in page.code()
        if (match := re.match(r"(?:\S*/)?adoption ([a-z-]+)", line))
    }
    assert set(program.commands) - named == set()


def test_the_page_of_the_command_line_lists_who_prints_json_and_who_speaks_welsh() -> None:
    text = (CHECKOUT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for option in ("--json", "--language"):
        paragraph = next(part for part in text.split("\n\n") if part.startswith(f"`{option}"))
        listed = set(re.findall(r"`([a-z-]+)`", paragraph.split(":", 1)[1]))
        have = {
            name
            for name, command in program.commands.items()
            if any(option in parameter.opts for parameter in command.params)
        }
        assert listed == have, option


def test_the_quick_start_knows_these_tasks_and_no_other(monkeypatch, capsys) -> None:
    monkeypatch.setattr(quickstart.os, "umask", lambda mask: 0)
    monkeypatch.setattr(quickstart, "prepare", lambda: None)
    monkeypatch.setattr(quickstart, "_call", lambda arguments, quiet=False: 0)
    assert [quickstart.main([task]) for task in TASKS] == [0, 0, 0]
    assert quickstart.main(["fly"]) == 2
    usage = capsys.readouterr()
    assert all(task in usage.out + usage.err for task in TASKS)


# --- paths ----------------------------------------------------------------------


def _missing_paths(page: Page) -> list[str]:
    """Paths in code that begin in a folder of the checkout and are not there.

    ``*`` stands for any name and ``<name>`` for one to be filled in; both must fit something.
    """
    missing = []
    for text in INLINE.findall(page.prose):
        top = re.match(r"([\w.]+)/", text)
        is_ours = top and top[1] in TOP_FOLDERS
        # A README of a folder may name that folder's files from where it stands.
        if not is_ours or re.search(r"[\s…(]", text):
            continue
        pattern = re.sub(r"<\w+>", "*", text).rstrip("/")
        if not any(CHECKOUT.glob(pattern)) and not any(page.path.parent.glob(pattern)):
            missing.append(text)
    return missing


@EVERY_PAGE
def test_every_path_that_is_named_exists(page: Page) -> None:
    assert _missing_paths(page) == []


@pytest.mark.parametrize(
    "path", ["pipelines/nowhere.py", "sources/returns/*.toml", "docs/<page>.rst", ".ci/walk"]
)
def test_a_path_that_does_not_exist_is_found(path: str) -> None:
    assert _missing_paths(Page(CHECKOUT / "docs" / "invented.md", f"See `{path}`.")) == [path]


# --- what must be said, and what must not ----------------------------------------


def _section(text: str, title: str) -> str:
    match = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE)
    assert match, f"no section called {title}"
    return match[1]


def test_the_quick_start_is_two_commands_of_one_line_each() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", FENCED.sub("", text), flags=re.MULTILINE)[0] == "Quick start"
    blocks = [block for _, block in FENCED.findall(_section(text, "Quick start"))]
    assert [block.count("\n") for block in blocks] == [1, 1]
    first, second = (block.strip() for block in blocks)
    assert "pipelines.quickstart" in first
    assert second in (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_journey_and_the_glossary_know_every_room() -> None:
    glossary = (CHECKOUT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rooms = _section(glossary, "The rooms")
    assert re.findall(r"^- \*\*(\w+)\*\*", rooms, flags=re.MULTILINE) == list(ROOMS)
    journey = (CHECKOUT / "docs" / "how-a-return-travels.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\w+)$", FENCED.sub("", journey), flags=re.MULTILINE)
    assert [heading for heading in headings if heading in ROOMS] == list(ROOMS)


def test_decisions_are_numbered_and_each_says_what_it_costs() -> None:
    text = (CHECKOUT / "docs" / "decisions.md").read_text(encoding="utf-8")
    records = re.findall(r"^\*\*(\d+)\. (.*?)(?=^\*\*\d+\. |\Z)", text, flags=re.DOTALL | re.M)
    assert [int(number) for number, _ in records] == list(range(1, len(records) + 1))
    assert len(records) > 20
    for number, record in records:
        for question in ("*Cost:*", "*Needed:*", "*Surprise:*"):
            assert question in " ".join(record.split()), f"{number}: {question}"


def _of_the_workplace(text: str) -> list[str]:
    return [match[0] for pattern in OF_THE_WORKPLACE for match in pattern.finditer(text)]


@EVERY_PAGE
def test_no_document_speaks_of_the_place_where_it_was_written(page: Page) -> None:
    assert _of_the_workplace(page.text) == []


@pytest.mark.parametrize("text", ["see /work" + "/x", "in this ses" + "sion", "iss" + "ue #2"])
def test_a_word_of_the_workplace_is_found(text: str) -> None:
    assert len(_of_the_workplace(text)) == 1
