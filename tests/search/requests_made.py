"""What a browser asked for."""

from __future__ import annotations

import re
from typing import Any


def requested_hosts(browser: Any) -> set[str]:
    log = "\n".join(entry["message"] for entry in browser.get_log("performance"))
    return set(re.findall(r'"url":"https?://([^/:"]+)', log))
