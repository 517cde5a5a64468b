"""The house keeps its own rules: budgets, documents, layering, words."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = [path for room in ("geo", "layers", "api") for path in sorted((ROOT / room).rglob("*.py"))]
MOST_LINES = 420
MOST_FUNCTION_LINES = 60
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").rglob("*.md")])


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=named)
def test_files_and_functions_stay_small(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            length = node.end_lineno - node.lineno - docstring.count("\n")
            assert length <= MOST_FUNCTION_LINES, f"{node.name} has {length} lines"


def test_nothing_is_left_for_later():
    for path in [
        *CODE,
        *sorted((ROOT / "static").glob("*.js")),
        *sorted((ROOT / "layers/templates").glob("*.html")),
    ]:
        text = path.read_text(encoding="utf-8")
        for word in ("TODO", "FIXME", "raise NotImplementedError", "for now"):
            assert word not in text, f"{named(path)} says {word}"
        assert not re.search(r"(noqa|type: ignore)\s*$", text, re.MULTILINE), (
            f"{named(path)} ignores without a code"
        )


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_in_documents_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_commands_named_in_the_readme_exist():
    shown = subprocess.run(
        [sys.executable, "-m", "api", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    targets = set(
        re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for readme in ("README.md", "README.zh-CN.md"):
        text = (ROOT / readme).read_text(encoding="utf-8")
        for command in re.findall(r"huxian ([a-z]+)", text):
            assert re.search(rf"\b{command}\b", shown), command
        for target in re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", text, re.MULTILINE):
            assert "".join(target) in targets, target


def test_the_two_readmes_say_the_same():
    blocks = [
        re.findall(r"```\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert len(blocks[0]) == len(blocks[1])
    links = [
        sorted(re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")))
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert [link for link in links[0] if "README" not in link.split("/")[0]] == [
        link for link in links[1] if "README" not in link.split("/")[0]
    ]


def test_every_decision_has_context_decision_and_consequence():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Decision.**", "**Consequence.**"):
            assert part in text, f"{page.name} lacks {part}"


def test_locks_carry_hashes_and_no_addresses():
    for lock in sorted(ROOT.glob("requirements*.lock")):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        for line in re.findall(r"^[A-Za-z0-9].*==.*$", text, re.MULTILINE):
            assert line.endswith("\\"), f"{lock.name}: {line} has no hash"
    assert "resolved" not in (ROOT / "package-lock.json").read_text(encoding="utf-8")


def test_the_glossary_knows_the_columns_of_the_frames():
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    for word in (
        "occurred_from",
        "occurred_until",
        "place_precision",
        "radius_m",
        "pair_km_nights",
        "stable_share",
    ):
        assert f"{word}" in glossary


def test_the_layers_of_the_house_hold():
    subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, check=True, capture_output=True, timeout=120
    )


def test_examples_in_docstrings_are_true():
    for module in ("geo/periods.py", "layers/views.py"):
        subprocess.run(
            [sys.executable, "-m", "doctest", module],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=60,
            env={"PYTHONPATH": str(ROOT)},
        )
