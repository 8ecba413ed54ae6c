"""How sure a share is: Wilson's interval, and Newcombe's for the difference of two shares.

E. B. Wilson, JASA 22 (1927); R. G. Newcombe, Statistics in Medicine 17 (1998), method 10.
Pure.
"""

from __future__ import annotations

from math import sqrt

Z95 = 1.959963984540054
"""The standard normal quantile that leaves 2.5 % on either side."""


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of the share count ÷ of. ValueError unless 0 ≤ count ≤ of and of > 0."""
    if not 0 <= count <= of or of == 0:
        raise ValueError(f"{count} of {of} is no share")
    share, square = count / of, Z95 * Z95
    centre = share + square / (2 * of)
    half = Z95 * sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    # The ends are exact where rounding would leave the share a hair outside.
    low = 0.0 if count == 0 else (centre - half) / scale
    high = 1.0 if count == of else (centre + half) / scale
    return low, high


def difference(count: int, of: int, other: int, other_of: int) -> tuple[float, float]:
    """The 95 % interval of count ÷ of − other ÷ other_of. ValueError as in `wilson`."""
    low, high = wilson(count, of)
    other_low, other_high = wilson(other, other_of)
    share, other_share = count / of, other / other_of
    gap = share - other_share
    down = sqrt((share - low) ** 2 + (other_high - other_share) ** 2)
    up = sqrt((high - share) ** 2 + (other_share - other_low) ** 2)
    return gap - down, gap + up
