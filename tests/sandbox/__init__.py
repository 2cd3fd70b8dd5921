"""Tests of the sandbox, over real HTTP except where they are about the world itself."""
