"""The command line: the tap's command, its errors, and what `--fields` writes.

Imports from the tap: `preflight`, `streams`, `source`, `reports`, `runtime`,
`exceptions`. No source by name.
"""
