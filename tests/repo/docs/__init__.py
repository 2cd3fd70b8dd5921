"""Tests of the documentation: its blocks are run, its links followed."""
