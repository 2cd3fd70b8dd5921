"""`python -m tap_adstage.sandbox`, which is the command `tap-adstage-sandbox`."""

from __future__ import annotations

from tap_adstage.sandbox.cli.command import main

if __name__ == "__main__":
    main()
