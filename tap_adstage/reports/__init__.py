"""Reports: what is asked, and what becomes of the answer (API: Building Reports)."""
