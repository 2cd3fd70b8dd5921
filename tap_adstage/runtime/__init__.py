"""What a run knows of itself: statistics, progress, summary, shutdown, redaction."""
