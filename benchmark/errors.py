"""The one exception that a user sees as a single line, and what such a line suggests."""

from __future__ import annotations

import difflib


class BenchmarkError(Exception):
    """Bad input: says what is wrong, where (file or key), and what would be right.

    The command line prints it as ``error: MESSAGE`` and exits with status 2; anything else is a bug and shows its
    traceback.
    """


def suggestion(word: str, known: list[str]) -> str:
    """``; did you mean 'x'?`` for a close match, then the list of what is known."""
    known = [str(name) for name in known]
    close = difflib.get_close_matches(word, known, n=1)
    return (f"; did you mean {close[0]!r}?" if close else ";") + f" known: {', '.join(known) or 'none'}"
