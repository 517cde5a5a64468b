"""Read the counts and the weights that local statistics take, or refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numba import njit
from scipy import sparse

from geo.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_CELLS = 2**24
"""A map of more cells is refused: the shuffles number cells with 24 bits."""
_LARGEST = 1e150
_NUMERIC = "biuf"


class Weights(NamedTuple):
    """Weights by rows: those of cell i are ``amounts[starts[i]:starts[i + 1]]``, on the cells in ``targets``.

    Parameters
    ----------
    starts : ndarray of int64, shape (cells + 1,)
        Where each row begins.
    targets : ndarray of int32, shape (weights,)
        Neighbouring cell.
    amounts : ndarray of float64, shape (weights,)
        Weight, >= 0 and finite.
    """

    starts: NDArray[np.int64]
    targets: NDArray[np.int32]
    amounts: NDArray[np.float64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Cells with a weight in each row."""
        return np.diff(self.starts)


def read_weights(weights: Any, *, cell_count: int, with_self: bool) -> Weights:
    """Return weights by rows, each row with its own cell or without it.

    Parameters
    ----------
    weights : sparse matrix or array, object with ``.sparse`` (libpysal's W and Graph), or Weights
        Shape (cells, cells); row i holds the weights of cell i's neighbours, >= 0. Repeated entries add up,
        zeros are no neighbours.
    cell_count : int
        Cells that there must be.
    with_self : bool
        True gives a row that lacks its own cell the row's largest weight on it (1 on an empty row); False
        leaves own cells out.

    Returns
    -------
    Weights
        Targets ascend within a row, and the largest weight of a row is 1: no local statistic depends on the
        scale of a row. The input is left as it is.

    Raises
    ------
    InvalidInputError
        If the weights are of another kind or shape, negative or not finite.
    """
    rows = _rows(weights, cell_count=cell_count)
    if rows.shape != (cell_count, cell_count):
        raise InvalidInputError(
            f"the weights must join each of the {cell_count} cells with each, not {rows.shape}"
        )
    if rows.data.dtype.kind not in _NUMERIC or not np.isfinite(rows.data).all():
        raise InvalidInputError("the weights hold a value that is not a finite number")
    if (rows.data < 0).any():
        raise InvalidInputError("the weights must not be negative")
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return Weights(
        *_rebuild(
            rows.indptr.astype(np.int64),
            rows.indices.astype(np.int32),
            rows.data.astype(np.float64),
            with_self,
        )
    )


def _rows(weights: Any, *, cell_count: int) -> Any:
    """Return whatever holds weights as a sparse array by rows."""
    if isinstance(weights, Weights):
        try:
            rows = sparse.csr_array(
                (weights.amounts, weights.targets, weights.starts), shape=(cell_count, cell_count)
            )
            rows.check_format(full_check=True)
        except (TypeError, ValueError):
            raise InvalidInputError(f"the rows of weights do not fit {cell_count} cells") from None
        return rows
    held: Any = weights if sparse.issparse(weights) else getattr(weights, "sparse", None)
    if not sparse.issparse(held):
        raise InvalidInputError("weights must be a sparse matrix, or weights of libpysal, or Weights")
    return sparse.csr_array(cast("Any", held))


@njit(nogil=True, cache=True)
def _rebuild(
    starts: NDArray[np.int64],
    targets: NDArray[np.int32],
    values: NDArray[np.float64],
    with_self: bool,  # noqa: FBT001 - compiled functions take positions
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Copy rows without their zeros, own cells put in or left out, the largest weight of each made 1."""
    cells = starts.size - 1
    new_starts = np.zeros(cells + 1, np.int64)
    new_targets = np.empty(targets.size + cells, np.int32)
    new_values = np.empty(targets.size + cells, np.float64)
    at = 0
    for cell in range(cells):
        own = 0.0
        largest = 0.0
        for k in range(starts[cell], starts[cell + 1]):
            largest = max(largest, values[k])
            if targets[k] == cell:
                own = values[k]
        if largest == 0:
            largest = 1.0
        own = own / largest if own > 0 else 1.0
        is_due = with_self
        for k in range(starts[cell], starts[cell + 1]):
            if is_due and targets[k] >= cell:
                new_targets[at] = cell
                new_values[at] = own
                at += 1
                is_due = False
            if targets[k] != cell and values[k] > 0:
                new_targets[at] = targets[k]
                new_values[at] = values[k] / largest
                at += 1
        if is_due:
            new_targets[at] = cell
            new_values[at] = own
            at += 1
        new_starts[cell + 1] = at
    return new_starts, new_targets[:at].copy(), new_values[:at].copy()


def read_numbers(values: ArrayLike, *, name: str, dimensions: int = 1) -> NDArray[np.float64]:
    """Return finite numbers, or refuse them.

    Parameters
    ----------
    values : array-like
        Numbers, booleans included; text is never read as a number, so that a masked ``"<5"`` cannot slip in.
    name : str
        What they are called in an error.
    dimensions : int
        Dimensions that the array must have.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    InvalidInputError
        If a value is masked, missing, text, not finite or beyond 1e150, there are more than `MOST_CELLS` rows,
        or the dimensions are others.
    """
    given = np.ma.asanyarray(values) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if np.ma.is_masked(given):
        raise InvalidInputError(f"{name} holds a masked value")
    if given.size > 0 and given.dtype.kind not in _NUMERIC and not _are_numbers(given):
        raise InvalidInputError(
            f"{name} must be numbers; masked or missing values are not counted as anything"
        )
    if given.ndim != dimensions:
        raise InvalidInputError(f"{name} must have {dimensions} dimensions, not {given.ndim}")
    if len(given) > MOST_CELLS:
        raise InvalidInputError(f"{name} must hold at most {MOST_CELLS} cells")
    numbers = np.array(given, dtype=np.float64)
    if not (np.abs(numbers) <= _LARGEST).all():
        raise InvalidInputError(f"{name} holds a value that is not a finite number")
    return numbers


def _are_numbers(given: NDArray[Any]) -> bool:
    """Say whether an array of objects holds numbers only."""
    if given.dtype.kind != "O":
        return False
    return all(isinstance(value, (int, float, np.number, np.bool_)) for value in given.ravel())


def read_counts(counts: ArrayLike, *, name: str = "counts", dimensions: int = 1) -> NDArray[np.float64]:
    """Return numbers that are not negative; see `read_numbers`."""
    numbers = read_numbers(counts, name=name, dimensions=dimensions)
    if (numbers < 0).any():
        raise InvalidInputError(f"{name} must not be negative; masked counts are refused")
    return numbers


def check_permutations(*, permutations: int, seed: int) -> None:
    """Refuse a number of permutations below 1 and a negative seed."""
    for name, number, least in (("permutations", permutations, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise InvalidInputError(f"{name} must be a whole number of at least {least}")
