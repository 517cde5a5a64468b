"""Why something cannot be computed is told in Chinese and English, whatever was stored of it."""

import ast
import string
from pathlib import Path

import pytest

from geo.errors import InvalidInputError, NotFoundError
from layers.refusals import REFUSALS, in_both_languages, refusal_text

ROOT = Path(__file__).parents[2]
LOCALES = ("zh", "en")
SPOKEN = (
    "InvalidInputError",
    "PeriodError",
    "UnitError",
    "ConflictError",
    "NotFoundError",
    "NoVersionError",
    "StaleVersionError",
)
TOLD = (
    "geo/runs",
    "geo/briefings",
    "geo/operations",
    "geo/linked.py",
    "geo/periods.py",
    "api/briefing_checks.py",
    "api/cli_borders.py",
    "api/cli_briefing.py",
    "api/cli_runs.py",
    "api/jobs.py",
    "api/run_address.py",
)
"""What people ask for on pages, at the terminal and by programs: whatever it refuses, it says in their language."""


def codes_with_values():
    """Return the code and the names of the values of every error in the tree that has one."""
    found = []
    for room in ("geo", "api"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in SPOKEN):
                    continue
                given = {word.arg: word.value for word in node.keywords}
                code = given.pop("code", None)
                if isinstance(code, ast.Constant):
                    found.append((path.name, code.value, tuple(given)))
    return found


CODES = codes_with_values()


@pytest.mark.parametrize(("where", "code", "names"), CODES)
def test_every_coded_error_has_a_sentence_that_takes_its_values(where, code, names):
    for locale in LOCALES:
        told = refusal_text("English", code, dict.fromkeys(names, "VALUE"), locale=locale)
        assert "English" not in told, f"{where}: {code}"
        assert ("VALUE" in told) == bool(names)


def test_what_people_ask_for_is_never_refused_in_english_alone():
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for place in TOLD
        for path in sorted((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") in SPOKEN
        and not any(word.arg == "code" for word in node.keywords)
    ]
    assert bare == []


def test_a_parameter_is_called_by_the_name_that_people_read():
    error = InvalidInputError("draws must ascend", code="parameter_ascending", parameter="draws")
    assert in_both_languages(error) == (
        "位置重抽次数 (draws)要由小到大写。 / redraws of imprecise places (draws) must ascend."
    )


def test_no_sentence_is_left_over():
    assert set(REFUSALS) == {code for _, code, _ in CODES}


def test_chinese_sentences_are_chinese_and_english_ones_are_not():
    for code in REFUSALS:
        values = dict.fromkeys(("count", "least", "most", "adcode", "day", "area", "one", "other"), 7)
        chinese, english = (refusal_text("", code, values, locale=locale) for locale in LOCALES)
        assert not set(chinese) & set(string.ascii_letters)
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in english)


@pytest.mark.parametrize(
    ("code", "values"),
    [(None, None), ("of_a_later_version", {"x": 1}), ("too_many_steps", {"count": 104}), ("masked", None)],
)
def test_an_error_without_words_is_shown_as_it_is_and_said_to_be_technical(code, values):
    assert refusal_text("the sky fell", code, values, locale="en") == "the sky fell"
    chinese = refusal_text("the sky fell", code, values, locale="zh")
    assert chinese.startswith("资料或参数不适合这种算法")
    assert chinese.endswith("the sky fell")


def test_an_error_is_told_in_both_languages_where_there_are_words_for_it():
    error = InvalidInputError("3 of the incidents are masked", code="masked", count=3)
    assert in_both_languages(error, sign=" · ").startswith("有3起案件的数字经过脱敏")
    assert " · 3 of the incidents are masked" in in_both_languages(error, sign=" · ")
    assert in_both_languages(NotFoundError("there is no such run")) == "there is no such run"
