"""All that the user hands in, as one typed model, and what is wrong with it."""
