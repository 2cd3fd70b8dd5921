"""A local AdStage API over generated data, to try the tap and to test pipelines."""

from __future__ import annotations

from tap_adstage.sandbox.server import Sandbox

__all__ = ["Sandbox"]
