"""Singer tap for AdStage."""
