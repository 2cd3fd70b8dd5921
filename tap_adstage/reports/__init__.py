"""Reports of any source: their windows, their rows, their bookmarks."""
