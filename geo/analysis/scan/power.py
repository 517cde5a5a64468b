"""Say how large a relative risk must be for the scan to see it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaincinv

from geo.analysis.scan.likelihood import SAME_LLR, log_likelihood_ratio
from geo.errors import InvalidInputError

MOST_RELATIVE_RISK = 1000.0


def minimum_relative_risk(
    *, case_count: int, share: float, critical_llr: float, power: float = 0.8
) -> float | None:
    """Return the smallest relative risk that the scan would see inside a window.

    Parameters
    ----------
    case_count : int
        Cases in all, >= 0.
    share : float
        Share of the exposure inside the window, 0 < share < 1.
    critical_llr : float
        Ratio to exceed, from `Scan.critical_llr`.
    power : float
        Probability of seeing it, 0 < power < 1.

    Returns
    -------
    float or None
        None when no relative risk up to 1,000 suffices.

    Notes
    -----
    With relative risk r each case falls inside with probability q = s r / (s r + 1 - s), so the count inside
    is binomial(C, q). The window is seen when that count reaches the least k whose LLR exceeds the critical
    one; the q at which P(count >= k) equals `power` is a quantile of the beta distribution, exactly. Only
    this one window is asked, and a neighbour might have been seen as well: the answer errs upwards.

    It serves every scan, with the critical ratio of that scan's own maxima. In space and time, share means the
    share of exposure x days. In the Bernoulli model it errs upwards further: the ratio of a window is never below
    its Poisson ratio (`window_ratio`), and a count drawn without replacement varies less. In the permutation
    model share = expected / C, and the risk is the one printed, against the expectation from rows and columns:
    a cause raises its own row and column, so that the risk at the cause is larger.

    The least count k is whole, so this value is a saw in C: it falls while k stays and jumps up a little when
    one more case is needed. Returned is the largest value over *all counts from C upwards*: the relative risk
    that is seen with at least this power now and with any more cases. So it never rises with C. It differs
    from the bare value only shortly before a jump. In the share no such law holds for few cases: a
    window of nearly half of the exposure has so many cases by chance that the rest cannot prove much.
    """
    if not 0 < share < 1 or not 0 < power < 1:
        raise InvalidInputError("share and power must lie between 0 and 1")
    if not (case_count >= 0 and critical_llr >= 0):
        raise InvalidInputError("the number of cases and the critical ratio must be numbers of at least 0")
    least = _least_count(case_count, share=share, critical_llr=critical_llr)
    if least is None:
        return None
    worst = _risk_seen(least, case_count=case_count, share=share, power=power)
    # The later teeth: `least` suffices up to a certain number of cases, beyond which one more is needed. As
    # a number of cases is whole, the tooth itself starts at or after that point; its height there is a bound
    # that falls from tooth to tooth, and ends the search.
    while True:
        edge = _edge(least, share=share, critical_llr=critical_llr)
        least += 1
        if _risk_seen(least, case_count=edge, share=share, power=power) <= worst:
            break
        start = int(np.floor(edge)) + 1
        worst = max(worst, _risk_seen(least, case_count=start, share=share, power=power))
    return worst if worst <= MOST_RELATIVE_RISK else None


def _least_count(case_count: int, *, share: float, critical_llr: float) -> int | None:
    """Return the least count above the expected one whose ratio exceeds the critical one, by bisection."""
    expected = case_count * share
    if log_likelihood_ratio(case_count, expected=expected, case_count=case_count) <= critical_llr + SAME_LLR:
        return None
    low, high = int(np.floor(expected)), case_count
    while high - low > 1:
        middle = (low + high) // 2
        llr = log_likelihood_ratio(middle, expected=expected, case_count=case_count)
        low, high = (low, middle) if llr > critical_llr + SAME_LLR else (middle, high)
    return high


def _edge(count: int, *, share: float, critical_llr: float) -> float:
    """Return the (real) number of cases in all up to which `count` inside exceeds the critical ratio."""

    def excess(case_count: float) -> float:
        llr = log_likelihood_ratio(count, expected=case_count * share, case_count=case_count)
        return llr - critical_llr - SAME_LLR

    return float(brentq(excess, count, count / share, xtol=1e-9 * count))


def _risk_seen(least: int, *, case_count: float, share: float, power: float) -> float:
    """Return the relative risk with which `least` cases or more fall inside with probability `power`."""
    inside = float(betaincinv(least, case_count - least + 1, power))
    if inside >= 1:
        return float("inf")
    return inside * (1 - share) / (share * (1 - inside))
