"""Quantiles of Fisher's F distribution, by the standard library alone.

Boards must have equal bytes from every replica, so the numbers behind them come from this one
small program and not from whichever numerical library a machine has. Tested against scipy.

If X = F(d1, d2) then x = d1·X / (d1·X + d2) follows Beta(d1/2, d2/2). The quantile is found in
u = log(x / (1 - x)): there X = d2/d1·e^u, so an absolute error of u is a relative error of X, and
neither tail loses digits. The distribution function is Lentz's continued fraction for the
regularised incomplete beta function (DLMF 8.17.22), the root is found by Halley's method, kept
inside a bracket.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

ACCURACY = 1e-9
"""Relative error of the answer at which the search ends."""

_TINY = 1e-300
_EPSILON = 1e-15
_TERMS = 10_000
_STEPS = 100


@lru_cache(maxsize=65_536)
def f_quantile(q: float, d1: int, d2: int) -> float:
    """The value that an F variable with d1 and d2 > 0 degrees of freedom stays under with
    probability 0 < q < 1."""
    a, b = d1 / 2, d2 / 2
    log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
    low, high = -700.0, 700.0
    u = _first_guess(q, a, b)
    for _ in range(_STEPS):
        below, slope, bend = _distribution(u, a, b, log_beta)
        low, high = (u, high) if below < q else (low, u)
        step = _halley(below - q, slope, bend)
        if abs(step) < ACCURACY:
            return b / a * exp(u - step)
        u = u - step if low < u - step < high else (low + high) / 2
    raise ArithmeticError(f"no F quantile found for {q}, {d1}, {d2}")


def _first_guess(q: float, a: float, b: float) -> float:
    """Fisher: ½·log X is about normal, with mean ¼·(1/b - 1/a) and variance ¼·(1/a + 1/b)."""
    z = NormalDist().inv_cdf(q)
    return log(a / b) + z * sqrt(1 / a + 1 / b) + (1 / b - 1 / a) / 2


def _halley(excess: float, slope: float, bend: float) -> float:
    """How far u is beyond the root; `bend` is the second derivative over the first."""
    if slope < _TINY:
        return float("inf")
    newton = excess / slope
    # Far from the root the curvature would throw the step off; Newton's is safe there.
    return newton / max(0.5, 1 - newton * bend / 2)


def _distribution(u: float, a: float, b: float, log_beta: float) -> tuple[float, float, float]:
    """P(U < u), its derivative in u, and its second derivative over the first."""
    log_x, log_y = -_softplus(-u), -_softplus(u)
    x, y = exp(log_x), exp(log_y)
    slope = exp(a * log_x + b * log_y - log_beta)
    if x < (a + 1) / (a + b + 2):
        below = slope * _fraction(x, a, b) / a
    else:
        below = 1 - slope * _fraction(y, b, a) / b
    return below, slope, a * y - b * x


def _softplus(u: float) -> float:
    """log(1 + e^u) without overflow."""
    return u + log1p(exp(-u)) if u > 0 else log1p(exp(u))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of I_x(a, b); about √(a + b) terms for x below the mean."""
    c, d = 1.0, 1 / _kept_off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        upper = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _kept_off_zero(1 + upper * d)
        c = _kept_off_zero(1 + upper / c)
        value *= c * d
        lower = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _kept_off_zero(1 + lower * d)
        c = _kept_off_zero(1 + lower / c)
        value *= c * d
        if abs(c * d - 1) < _EPSILON:
            return value
    raise ArithmeticError(f"the continued fraction of I_{x}({a}, {b}) does not end")


def _kept_off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
