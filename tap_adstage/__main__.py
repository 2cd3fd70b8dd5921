"""The command `tap-adstage`, which is `python -m tap_adstage` as well."""

from __future__ import annotations

import ctypes
import gc
import signal
import sys

_YOUNG_OBJECTS = 100_000
"""New containers after which garbage is collected; Python's default is some hundred."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT, _LARGE = 2**23, 2**22


def _give_large_memory_back() -> None:
    """Have a page's memory given back once the page is written, on Linux with glibc.

    Else glibc keeps it in the heap of the thread that fetched the page: a report with
    pages of 8 MB took 350 MB at its peak, and takes 170 MB. Smaller pieces are kept for
    the next page, as the system takes long to give them anew.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt:
            mallopt(_M_MMAP_THRESHOLD, _LARGE)
            mallopt(_M_TRIM_THRESHOLD, _KEPT)


def main() -> None:
    """Run the tap's command line."""
    # Most of the time of a short run goes into importing the SDK. What that makes stays
    # to the end, and the garbage collector would look through it again and again.
    gc.disable()
    _give_large_memory_back()
    try:
        from tap_adstage.tap import TapAdStage  # noqa: PLC0415 - see above
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    gc.freeze()
    # A page of a report is tens of thousands of lists, none of which is garbage before
    # the page is written: to look through them that often takes a quarter of a run.
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.enable()
    TapAdStage.cli()


if __name__ == "__main__":
    main()
