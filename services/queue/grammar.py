"""How names look: codes, counters, services, numbers. Shared by files, policies and requests.

The journal has its own copy on purpose: it is what another implementation reads first.
"""

import re

CODE = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}")
COUNTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,7}")
DISPLAY = COUNTER
PAGE = re.compile(r"[A-Za-z0-9]{16,64}")
VERSION = re.compile(r"[A-Za-z0-9]{0,16}")
SERVICE = re.compile(r"[A-Z]")
NUMBER = re.compile(r"[A-Z][0-9]{3,6}")
DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
MINUTE = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
CLOSING_MINUTE = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
