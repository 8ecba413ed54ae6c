"""Words in the characters that a printer has. Pure.

Signs of typography become their plain sisters, accents go where the letter with it is missing;
for what remains the printer's page has a question mark.
"""

import unicodedata
from collections.abc import Callable

SISTERS = str.maketrans({
    "–": "-", "—": "-", "‑": "-", "−": "-", "·": "-", "•": "-", "…": "...",
    "‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ",
})  # fmt: skip
MISSING = "?"


def plain(text: str, has: Callable[[str], bool]) -> str:
    """`has` says whether the printer has a character; the result is of such characters only."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if has(one) else _nearest(one, has) for one in composed)


def _nearest(one: str, has: Callable[[str], bool]) -> str:
    sister = one.translate(SISTERS)
    if sister == one:
        sister = "".join(
            part for part in unicodedata.normalize("NFKD", one) if not unicodedata.combining(part)
        )
    return sister if sister and all(map(has, sister)) else MISSING
