"""What may stand where a host to listen on is asked for."""

from __future__ import annotations

import ipaddress
import re

LONGEST = 253
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"({_LABEL}\.)*{_LABEL}\.?")


def is_host(text: str) -> bool:
    """Tell whether `text` is an IP address or could be a host's name (RFC 1123, 2.1)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        # A last label of digits alone is a mistyped address, never a name.
        last = text.rstrip(".").rpartition(".")[2]
        return len(text) <= LONGEST and _NAME.fullmatch(text) is not None and not last.isdigit()
    return True
