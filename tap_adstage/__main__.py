"""`python -m tap_adstage` is `tap-adstage`."""

from __future__ import annotations

from tap_adstage.tap import TapAdStage

if __name__ == "__main__":
    TapAdStage.cli()
