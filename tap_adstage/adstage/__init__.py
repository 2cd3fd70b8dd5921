"""AdStage: its API, its fields, its reports."""
