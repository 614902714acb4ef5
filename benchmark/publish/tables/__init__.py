"""The tables of a run, each a csv and a document."""
