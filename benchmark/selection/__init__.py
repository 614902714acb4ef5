"""Post-hoc selection: N of many candidates, by one strategy (``strategies``) or as a hierarchy (``trees``)."""
