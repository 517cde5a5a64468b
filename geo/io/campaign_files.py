"""Read the folder of a campaign: cases, targets, key areas, phases, border pairs, and the names of its time.

The columns are described in the folder's own README.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from geo.errors import Fault, FileRejectedError
from geo.io.forms.texts import refuse
from geo.periods import CHINA

if TYPE_CHECKING:
    from pathlib import Path

Type = Literal["text", "whole", "number", "day", "instant", "yes"]

# file -> column -> type; columns that are not named here are handed on as text.
_FILES: dict[str, dict[str, Type]] = {
    "incidents": {
        "case_key": "text",
        "annex": "whole",
        "supervised_by": "text",
        "supervision_year": "whole",
        "occurred_from": "instant",
        "occurred_until": "instant",
        "date_precision": "text",
        "city": "text",
        "county": "text",
        "county_by_hand": "text",
        "county_basis": "text",
        "township": "text",
        "place": "text",
        "place_kind": "text",
        "place_precision": "text",
        "lon": "number",
        "lat": "number",
        "radius_m": "number",
        "coord_source": "text",
        "facility": "text",
        "category": "text",
        "sector": "text",
        "operator": "text",
        "direct_loss_yuan": "number",
        "loss_qualifier": "text",
        "outage_hours": "number",
        "outage_qualifier": "text",
        "outage_lines": "whole",
        "outage_text": "text",
        "flags": "text",
        "note": "text",
        "text": "text",
    },
    "loss_items": {
        "case_key": "text",
        "kind": "text",
        "pairs": "whole",
        "length_m": "number",
        "length_qualifier": "text",
        "count": "whole",
        "weight_kg": "number",
        "spans": "whole",
        "action": "text",
        "as_written": "text",
    },
    "sites": {
        "case_key": "text",
        "site": "text",
        "lon": "number",
        "lat": "number",
        "precision": "text",
        "radius_m": "number",
    },
    "city_targets": {
        "city": "text",
        "adcode": "text",
        "tier": "whole",
        "indicator_code": "text",
        "comparison": "text",
        "target_change_pct": "number",
        "as_written": "text",
        "lon": "number",
        "lat": "number",
    },
    "key_areas": {
        "level": "text",
        "seq": "whole",
        "county": "text",
        "as_written": "text",
        "city": "text",
        "adcode_2008": "text",
        "indicator_code": "text",
        "comparison": "text",
        "target_change_pct": "number",
        "lon": "number",
        "lat": "number",
    },
    "pilots": {
        "seq": "whole",
        "county": "text",
        "as_written": "text",
        "city": "text",
        "adcode_2008": "text",
        "lon": "number",
        "lat": "number",
    },
    "phases": {
        "seq": "whole",
        "name_zh": "text",
        "name_en": "text",
        "start_on": "day",
        "until_on": "day",
        "date_precision": "text",
        "as_written": "text",
    },
    "sweeps": {
        "seq": "whole",
        "name_zh": "text",
        "name_en": "text",
        "start_on": "day",
        "until_on": "day",
        "days": "whole",
        "date_precision": "text",
        "as_written": "text",
        "note": "text",
    },
    "border_pairs": {
        "seq": "whole",
        "city_a": "text",
        "city_b": "text",
        "lead_city": "text",
        "lead_basis": "text",
        "shared_border_km": "number",
        "border_source": "text",
        "list_open": "yes",
        "note": "text",
    },
    "scrap_towns": {
        "seq": "whole",
        "town": "text",
        "as_written": "text",
        "county": "text",
        "county_basis": "text",
        "city": "text",
        "adcode_2008": "text",
        "township_code": "text",
        "lon": "number",
        "lat": "number",
        "precision": "text",
        "radius_m": "number",
        "coord_source": "text",
        "note": "text",
    },
    "indicators": {
        "indicator_code": "text",
        "name_zh": "text",
        "name_en": "text",
        "unit": "text",
        "scope": "text",
        "comparison": "text",
        "value": "number",
        "as_written": "text",
    },
    "areas_2008": {
        "level": "text",
        "name_2008": "text",
        "adcode_2008": "text",
        "city": "text",
        "valid_until": "day",
        "valid_until_precision": "text",
        "name_today": "text",
        "adcode_today": "text",
        "extent": "text",
        "note": "text",
        "note_en": "text",
    },
    "campaign": {
        "code": "text",
        "name_zh": "text",
        "name_en": "text",
        "start_on": "day",
        "until_on": "day",
        "planned_on": "day",
        "forwarded_on": "day",
        "published_on": "day",
        "source": "text",
        "note": "text",
        "note_en": "text",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFiles:
    """The files of a campaign, one frame each, in the order of their rows.

    Text that is not stated is missing (NaN), whole numbers are ``Int64``, days are ``datetime.date``,
    instants are in Asia/Shanghai, `flags` words joined by semicolons, as in the file.

    Parameters
    ----------
    incidents, loss_items, sites : DataFrame
        The cases, joined by `case_key`.
    city_targets, key_areas, pilots, indicators : DataFrame
        What is to be reached, and where.
    phases, sweeps : DataFrame
        Half-open: `until_on` is the day after the last.
    border_pairs, scrap_towns : DataFrame
    areas_2008 : DataFrame
        Every city and county of 2008 with its name, code and extent today.
    campaign : DataFrame
        One row.
    """

    incidents: pd.DataFrame
    loss_items: pd.DataFrame
    sites: pd.DataFrame
    city_targets: pd.DataFrame
    key_areas: pd.DataFrame
    pilots: pd.DataFrame
    phases: pd.DataFrame
    sweeps: pd.DataFrame
    border_pairs: pd.DataFrame
    scrap_towns: pd.DataFrame
    indicators: pd.DataFrame
    areas_2008: pd.DataFrame
    campaign: pd.DataFrame


def read_campaign(folder: Path) -> CampaignFiles:
    """Read and check the files of a campaign.

    Parameters
    ----------
    folder : Path
        Holds one CSV (UTF-8, with a header) for each field of `CampaignFiles`.

    Returns
    -------
    CampaignFiles

    Raises
    ------
    FileRejectedError
        Naming the file and, with its faults, the column and row: ``missing_file``, ``missing_column``,
        ``bad_number``, ``bad_date``, ``bad_value``, ``no_rows``, ``encoding``.
    """
    return CampaignFiles(**{name: _read(folder, name, columns) for name, columns in _FILES.items()})


def _read(folder: Path, name: str, columns: dict[str, Type]) -> pd.DataFrame:
    file_name = f"{name}.csv"
    try:
        text = (folder / file_name).read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise refuse("missing_file", f"{file_name} is missing from the campaign folder") from error
    except UnicodeDecodeError as error:
        raise refuse("encoding", f"{file_name} is not UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
    rows = list(reader)
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        faults = tuple(
            Fault(1, column, "missing_column", f"{file_name} lacks this column") for column in missing
        )
        raise FileRejectedError(f"{file_name} lacks {', '.join(missing)}", faults)
    if not rows:
        raise refuse("no_rows", f"{file_name} holds no rows")
    others: dict[str, Type] = {
        column: "text" for column in reader.fieldnames or () if column is not None and column not in columns
    }
    return pd.DataFrame(
        {
            column: _column([row[column] for row in rows], column, kind, file_name)
            for column, kind in (columns | others).items()
        }
    )


_CODES: dict[Type, str] = {
    "whole": "bad_number",
    "number": "bad_number",
    "day": "bad_date",
    "instant": "bad_date",
    "yes": "bad_value",
}


def _column(cells: list[str], column: str, kind: Type, file_name: str) -> pd.Series[Any]:
    """Turn the cells of one column into its type; name the rows that cannot be."""
    filled = pd.Series(cells, dtype="str").replace("", None)
    if kind == "text":
        return filled
    values = _converted(filled, kind)
    wrong = filled.notna() & values.isna()
    if wrong.any():
        code = _CODES[kind]
        message = f"{file_name}: the cells of {column} cannot be read"
        faults = tuple(Fault(int(row) + 2, column, code, message) for row in wrong.index[wrong])
        raise FileRejectedError(message, faults)
    return values


def _converted(filled: pd.Series[Any], kind: Type) -> pd.Series[Any]:
    if kind == "instant":
        instants = pd.to_datetime(filled, format="%Y-%m-%dT%H:%M:%S%z", errors="coerce", utc=True)
        return instants.dt.tz_convert(CHINA).dt.as_unit("us")
    if kind == "day":
        days = pd.to_datetime(filled, format="%Y-%m-%d", errors="coerce")
        return days.dt.date.astype(object).where(days.notna(), None)
    if kind == "yes":
        return filled.map({"true": True, "false": False}).astype("boolean")
    numbers = pd.to_numeric(filled, errors="coerce").astype("float64")
    if kind == "number":
        return numbers
    return numbers.where(numbers % 1 == 0).astype("Int64")
