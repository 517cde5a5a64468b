"""Say what is to be said of a kind of file before its rows can be compared and stored."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A query that returns the row numbers of staged rows that cannot be right."""

    query: str
    column: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the rows of one kind of file go.

    Parameters
    ----------
    table : str
    columns : dict of str to str
        Column of the frame -> column of the table, copied as they are.
    extras : dict of str to str
        Further columns of the staged table -> type.
    extras_in_file : dict of str to str
        Those of them that come from the frame -> column of the frame.
    resolve : tuple of str
        Statements that find the ids of what rows name.
    checks : tuple of Check
    joined, match : str
        Stored rows as ``t`` (with what hangs on them), and when ``t`` and the staged row ``s`` are the same.
    key_text : str
        The key as people read it.
    compared : dict of str to (str, str)
        Name -> staged and stored expression; where they differ the row is a conflict.
    inserted : tuple of str
        Columns of the table that are filled from the staged ones.
    fixed_names, fixed_values : str
        Further columns of the insert.
    before_insert, after_insert : tuple of str
    """

    table: str
    columns: dict[str, str]
    joined: str
    match: str
    key_text: str
    compared: dict[str, tuple[str, str]]
    inserted: tuple[str, ...]
    extras: dict[str, str] = field(default_factory=dict)
    extras_in_file: dict[str, str] = field(default_factory=dict)
    resolve: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    fixed_names: str = ""
    fixed_values: str = ""
    before_insert: tuple[str, ...] = ()
    after_insert: tuple[str, ...] = ()


STAGED_TYPES = {"row_number": "bigint"}
"""Columns that every staged table has and no other."""


def same(*names: str) -> dict[str, tuple[str, str]]:
    """Return the pairs to compare for columns of one name on both sides, and for the geometry."""
    return {name: (f"s.{name}", f"t.{name}") for name in names} | {"geometry": ("s.geom", "t.geom")}


def area_by_name(name: str, into: str, day: str) -> str:
    """Return the statement that finds the one area of that name or code on that day."""
    return f"""
        update staged set {into} = found.id
        from (
            select named.{name} as word, named.day, min(area.id) as id
            from (select distinct {name}, ({day})::date as day from staged where {name} <> '') as named
            join huxian.area on area.level in ('city', 'county')
                and (area.valid_from is null or area.valid_from <= coalesce(named.day, current_date))
                and (area.valid_until is null or area.valid_until > coalesce(named.day, current_date))
            left join huxian.area as city on city.id = area.parent_id
            where area.name = named.{name} or area.adcode = named.{name}
                or city.name || area.name = named.{name} or area.name || '公安局' = named.{name}
            group by named.{name}, named.day
            having count(*) = 1
        ) as found
        where staged.{name} = found.word and ({day})::date is not distinct from found.day
    """  # noqa: S608 - our own names


def unknown_area(name: str, into: str, column: str) -> Check:
    """Return the check for rows whose stated area was found by `area_by_name` under no name."""
    return Check(
        query=f"""
            select row_number from staged
            where {name} <> '' and {into} is null
              and exists (select 1 from huxian.area where level in ('city', 'county'))
        """,  # noqa: S608 - same
        column=column,
        code="unknown_area",
        message="no city or county had this name or code on that day, or more than one had",
    )
