"""Hand over what a reader made of a file: good rows, refused rows, and what is worth knowing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from geo.errors import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file as understood; nothing of it is stored yet.

    Parameters
    ----------
    frame : DataFrame
        The good rows, indexed by their row number in the file.
    rejected : tuple of Fault
        Everything wrong in the other rows: row, column, code, sentence.
    notices : tuple of Fault
        What was assumed or dropped; rows named here are in the frame.
    cells : dict of int to dict of str to str
        Row number -> header word -> text as written, of the refused rows.
    """

    frame: pd.DataFrame
    rejected: tuple[Fault, ...]
    notices: tuple[Fault, ...] = ()
    cells: dict[int, dict[str, str]] = field(default_factory=dict)
