"""Find staged rows that name a place but have no coordinates, and give them a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPlaceRow:
    """A place as staged rows write it: text, area as written, day, how many rows."""

    place_text: str
    area: str
    on: date
    count: int


_DAY = "(occurred_from at time zone 'Asia/Shanghai')::date"
_NAMED = text(
    f"""
    select place_text, coalesce(area, '') as area, min({_DAY}) as on_day, count(*)
    from staged
    where geom is null and place_text <> ''
    group by place_text, coalesce(area, ''), date_trunc('month', {_DAY})
    order by 1, 2, 3
    limit :most
    """  # noqa: S608 - a constant
)
_PLACE = f"""
    update staged
    set geom = ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), radius_m = :radius, place_precision = :precision
        {{flags}}
    where geom is null and place_text = :place_text and coalesce(area, '') = :area
      and date_trunc('month', {_DAY}) = date_trunc('month', cast(:on_day as date))
"""  # noqa: S608 - constants


def find_named_places(session: Session, *, most: int) -> list[NamedPlaceRow]:
    """Return the different places that rows without coordinates name, by month, at most `most`."""
    rows = session.execute(_NAMED, {"most": most})
    return [NamedPlaceRow(place_text=name, area=area, on=on, count=count) for name, area, on, count in rows]


def place_rows(
    session: Session,
    row: NamedPlaceRow,
    *,
    lon: float,
    lat: float,
    radius_m: float,
    precision: str,
    has_flags: bool,
) -> None:
    """Give all rows of one named place its circle (degrees WGS 84, metres), and mark them as placed by name."""
    flags = ", flags = coalesce(flags, '{}') || array['placed_by_name']" if has_flags else ""
    session.execute(
        text(_PLACE.format(flags=flags)),
        {
            "lon": lon,
            "lat": lat,
            "radius": radius_m,
            "precision": precision,
            "place_text": row.place_text,
            "area": row.area,
            "on_day": row.on,
        },
    )
