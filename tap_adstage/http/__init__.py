"""Requests: sent, retried, authorized, decoded."""
