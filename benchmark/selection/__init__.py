"""Post-hoc selection: N of a large set of candidates, by one strategy (``strategies``) or as a hierarchy (``trees``)."""
