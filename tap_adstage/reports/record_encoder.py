"""From a report's rows to the JSON texts of their records."""

from __future__ import annotations
