"""Tests of the sandbox, over real HTTP except those of the world itself."""
