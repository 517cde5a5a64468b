"""Read the supervised cases from a notice's own annexes (挂牌督办的案件) into rows.

See ``docs/reference/annex.md`` for the columns, the flags and the reasons for which a sentence is refused.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.errors import Fault
from geo.io.annex_grammar import Sentence, read_sentence
from geo.io.cells import CellError
from geo.io.forms.texts import forbidden, refuse
from geo.io.person_names import remove_person_names
from geo.io.persons import names_a_person
from geo.io.place_names import PlaceNames, read_place_names
from geo.io.readings import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

COLUMNS = (
    "case_key",
    "annex",
    "supervised_by",
    "supervision_year",
    "occurred_from",
    "occurred_until",
    "date_precision",
    "city",
    "county",
    "township",
    "place",
    "place_kind",
    "facility",
    "category",
    "sector",
    "operator",
    "loss_items",
    "direct_loss_yuan",
    "loss_qualifier",
    "outage_hours",
    "outage_qualifier",
    "outage_lines",
    "outage_text",
    "flags",
    "text",
)
FLAGS = {
    "time_approx": "the time is written as about (许); the interval is widened by 10 or 30 minutes on both sides",
    "end_assumed": "only the beginning of a recurrent case is written; its end is taken as the end of that night",
    "recurrent": "the case happened several times (连续, 陆续, 先后, 多次)",
    "city_omitted": "the city is not written and follows from the county",
    "county_omitted": "the county is not written",
    "area_conflict": "the county lies in another city than the one written",
    "area_unknown": "city or county are in no table of names",
    "several_sites": "several places are written for one case",
    "place_ambiguous": "the place name fits several places of the county",
    "place_kind_assumed": "the words do not say what kind of place this is; taken as a village",
    "sector_assumed": "the words do not say whose cable this is; taken as telecom",
    "fibre_in_pairs": "an optical cable is counted in pairs (对), as written",
    "loss_word_typo": "the word before the loss is a misprint of 直接经济损失",
    "loss_not_stated": "no loss is written",
    "loss_unreadable": "a loss is written in a way that is not read",
    "loss_several": "several losses are written, and none is taken",
    "loss_per_pair_metre_high": "the loss per pair-metre is far above that of the other cases; check the figures",
    "loss_per_pair_metre_low": "the loss per pair-metre is far below that of the other cases; check the figures",
    "supervisor_unclear": "the heading does not name one authority that supervises the case",
    "person_injured": "a person was hurt",
    "person_name_removed": "the name of a person was taken out of the text",
}
"""Flag -> what it says, in the order in which flags stand in a row."""

MAX_CHARACTERS = 2_000_000
MAX_ITEMS = 5_000
MAX_SENTENCE = 2_000
_ROBUST_Z = 3.5
_FEWEST_FOR_Z = 8
_HIGHEST_YUAN_PER_PAIR_METRE = 0.35

# One character for one, so that a notice of any length is made narrow in one pass.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20, 0xFF61: 0x3002}
_CHINESE_NUMBERS = {character: number for number, character in enumerate("一二三四五六七八九十", start=1)}
_HEADING = re.compile(
    r"^[^\S\n]*附件[^\S\n]*(?P<number>[0-9]{1,2}|[一二三四五六七八九十])[^\S\n]*:?", re.MULTILINE
)
_SECTION = re.compile(
    r"^[^\S\n]*[一二三四五六七八九十]{1,3}、(?P<title>[^\n。]{0,40}?挂牌督办[^\n。]{0,20}?案件)(?=[\s:0-9])",
    re.MULTILINE,
)
_ITEM = re.compile(
    r"(?:^|(?<=[\n。;]))[^\S\n]*"
    r"(?:(?P<number>[0-9]{1,3})[^\S\n]?[.、]\s*(?=[0-9]{4}\s*年|[^0-9\s])|(?=[0-9]{4}\s*年\s*[0-9]{1,2}\s*月))",
    re.MULTILINE,
)
_YEAR = re.compile("(?<![0-9])(?P<year>(?:19|20)[0-9]{2})年")
_AUTHORITY = re.compile("公安部|省公安厅|市公安局|县公安局")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """One numbered case as it stands in the annex."""

    annex: int
    number: int
    supervised_by: str | None
    year: int | None
    text: str


def read_annex(text: str, *, names: PlaceNames | None = None) -> Reading:
    """Read the annexes of supervised cases of a notice.

    Parameters
    ----------
    text : str
        The annexes, or the whole notice; other annexes and chapters are passed over.
    names : PlaceNames, optional
        Cities, counties and ambiguous places; by default those of Henan in 2008.

    Returns
    -------
    Reading
        Rows with `COLUMNS`, in the order of the text, indexed from 1; `occurred_from` and
        `occurred_until` in Asia/Shanghai, half-open; `loss_items` a tuple of
        `geo.io.annex_items.LossItem`; `flags` a tuple of keys of `FLAGS`; `text` the sentence in
        half-width characters without blanks and without names of persons. A sentence that cannot be read
        is in `rejected` (row = its number, column = its annex); every flag is also a notice.

    Raises
    ------
    FileRejectedError
        ``no_annex`` where no case is found, ``too_long`` or ``too_many_items``.

    Notes
    -----
    The loss per pair-metre of copper cable is compared within the reading by the modified z-score
    0.6745 (y - median) / MAD; beyond +-3.5 a row is flagged. With fewer than 8 such rows, or no spread, more
    than 0.35 yuan is flagged.

    References
    ----------
    Iglewicz, B. & Hoaglin, D. C. (1993). How to Detect and Handle Outliers. ASQC Quality Press.
    """
    if len(text) > MAX_CHARACTERS:
        raise refuse("too_long", f"the text has more than {MAX_CHARACTERS} characters")
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").translate(_NARROW)
    items = _items(plain)
    if not items:
        raise refuse("no_annex", "the text holds no annex of supervised cases (附件……挂牌督办的案件)")
    table = names or read_place_names()
    rows: list[dict[str, Any]] = []
    notices: list[Fault] = []
    rejected: list[Fault] = []
    for key, item in zip(_keys(items), items, strict=True):
        try:
            row, sentence = _row(item, key, table)
        except CellError as error:
            rejected.append(Fault(item.number, f"附件{item.annex}", error.code, str(error)))
            continue
        rows.append(row)
        if sentence.where.candidates:
            message = f"the place may be {' or '.join(sentence.where.candidates)}"
            notices.append(Fault(item.number, f"附件{item.annex}", "place_ambiguous", message))
    _flag_losses(rows)
    notices += [notice for row in rows for notice in _notices(row)]
    return Reading(frame=_frame(rows), rejected=tuple(rejected), notices=tuple(notices))


def _items(text: str) -> list[_Item]:
    headings = list(_HEADING.finditer(text))
    items: list[_Item] = []
    for heading, end in _stretches(headings, len(text)):
        body = text[heading.end() : end].lstrip()
        title, _, cases = body.partition("\n")
        if "挂牌督办" not in title[:100] or "案件" not in title[:100]:
            continue
        number = heading["number"]
        annex = _CHINESE_NUMBERS.get(number) or int(number)
        for part_title, part in _parts(title[:100], cases):
            items += _numbered(
                part, annex=annex, supervised_by=_authority(part_title), year=_year(title[:100])
            )
            if len(items) > MAX_ITEMS:
                raise refuse("too_many_items", f"the text has more than {MAX_ITEMS} numbered cases")
    return items


def _parts(title: str, cases: str) -> Iterator[tuple[str, str]]:
    """Cut an annex into its sections, each with the heading that says who supervises."""
    sections = list(_SECTION.finditer(cases))
    yield title, cases[: sections[0].start()] if sections else cases
    for section, end in _stretches(sections, len(cases)):
        yield section["title"], cases[section.end() : end]


def _numbered(part: str, *, annex: int, supervised_by: str | None, year: int | None) -> list[_Item]:
    marks: list[re.Match[str]] = []
    for mark in _ITEM.finditer(part):
        # A number whose date stands on the next line is followed by a mark without a number.
        if not marks or mark.start() > marks[-1].end():
            marks.append(mark)
    return [
        _Item(
            annex=annex,
            number=int(mark["number"] or 0),
            supervised_by=supervised_by,
            year=year,
            text=part[mark.end() : end],
        )
        for mark, end in _stretches(marks, len(part))
    ]


def _stretches(marks: list[re.Match[str]], length: int) -> Iterator[tuple[re.Match[str], int]]:
    """Pair each mark with where the next one begins, the last with the end of the text."""
    for mark, following in itertools.zip_longest(marks, marks[1:]):
        yield mark, following.start() if following else length


def _authority(title: str) -> str | None:
    found = set(_AUTHORITY.findall(title))
    return found.pop() if len(found) == 1 else None


def _year(title: str) -> int | None:
    match = _YEAR.search(title)
    return int(match["year"]) if match else None


def _keys(items: list[_Item]) -> Iterator[str]:
    """Name each case by annex and number; where a number comes again, by its turn as well."""
    seen: dict[tuple[int, int], int] = {}
    for item in items:
        turn = seen[item.annex, item.number] = seen.get((item.annex, item.number), 0) + 1
        yield f"A{item.annex}-{item.number}" + (f"-{turn}" if turn > 1 else "")


def _row(item: _Item, key: str, names: PlaceNames) -> tuple[dict[str, Any], Sentence]:
    if len(item.text) > MAX_SENTENCE:
        raise CellError("sentence_too_long", f"the sentence is longer than {MAX_SENTENCE} characters")
    text, is_named = remove_person_names("".join(item.text.split()))
    found = forbidden(text)
    if found is not None:
        raise CellError(found[0], "the sentence holds a character that no text may hold")
    if names_a_person(text):
        raise CellError("personal_data", "the sentence holds an ID number, a phone or a plate of a person")
    sentence = read_sentence(text, names)
    flags = {*sentence.flags, *(["person_name_removed"] if is_named else [])}
    flags |= set() if item.supervised_by else {"supervisor_unclear"}
    where, when = sentence.where, sentence.when
    row = {
        "case_key": key,
        "annex": item.annex,
        "supervised_by": item.supervised_by,
        "supervision_year": item.year,
        "occurred_from": when.start_at,
        "occurred_until": when.until_at,
        "date_precision": when.precision,
        "city": where.city,
        "county": where.county,
        "township": where.township,
        "place": where.place,
        "place_kind": where.place_kind,
        "facility": sentence.facility,
        "category": sentence.category,
        "sector": sentence.sector,
        "operator": where.operator,
        "loss_items": sentence.items,
        "direct_loss_yuan": sentence.loss.yuan,
        "loss_qualifier": sentence.loss.qualifier,
        "outage_hours": sentence.outage.hours,
        "outage_qualifier": sentence.outage.qualifier,
        "outage_lines": sentence.outage.lines,
        "outage_text": sentence.outage.text,
        "flags": _ordered(flags),
        "text": text,
    }
    return row, sentence


def _ordered(flags: set[str]) -> tuple[str, ...]:
    return tuple(flag for flag in FLAGS if flag in flags)


def _yuan_per_pair_metre(row: dict[str, Any]) -> float:
    metres = [item.pair_metres for item in row["loss_items"] if item.kind == "copper_cable"]
    if (
        row["direct_loss_yuan"] is None
        or not metres
        or None in metres
        or len(metres) < len(row["loss_items"])
    ):
        return np.nan
    return float(row["direct_loss_yuan"] / sum(metres))


def _flag_losses(rows: list[dict[str, Any]]) -> None:
    ratios = np.array([_yuan_per_pair_metre(row) for row in rows])
    is_high, is_low = _outliers(ratios)
    for row, high, low in zip(rows, is_high, is_low, strict=True):
        added = {"loss_per_pair_metre_high"} if high else {"loss_per_pair_metre_low"} if low else set()
        row["flags"] = _ordered({*row["flags"], *added})


def _outliers(ratios: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    known = ratios[np.isfinite(ratios)]
    spread = float(np.median(np.abs(known - np.median(known)))) if known.size else 0.0
    if known.size < _FEWEST_FOR_Z or spread == 0:
        return ratios > _HIGHEST_YUAN_PER_PAIR_METRE, np.zeros(ratios.shape, dtype=np.bool_)
    z = 0.6745 * (ratios - np.median(known)) / spread
    return z > _ROBUST_Z, z < -_ROBUST_Z


def _notices(row: dict[str, Any]) -> Iterator[Fault]:
    number = int(row["case_key"].split("-")[1])
    for flag in row["flags"]:
        if flag != "place_ambiguous":
            yield Fault(number, f"附件{row['annex']}", flag, FLAGS[flag])


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(COLUMNS), index=pd.RangeIndex(1, len(rows) + 1))
    types: dict[str, Any] = dict.fromkeys(COLUMNS, "str")
    types |= dict.fromkeys(("annex", "supervision_year", "outage_lines"), "Int64")
    types |= dict.fromkeys(("direct_loss_yuan", "outage_hours"), "float64")
    types |= dict.fromkeys(("occurred_from", "occurred_until"), "datetime64[us, Asia/Shanghai]")
    types |= dict.fromkeys(("loss_items", "flags"), "object")
    return frame.astype(types)
