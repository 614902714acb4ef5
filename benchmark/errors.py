"""The one exception that a user sees as a single line."""


class BenchmarkError(Exception):
    """Bad input: says what is wrong, where (file or key), and what would be right.

    The command line prints it as ``error: MESSAGE`` and exits with status 2; anything else is a bug and shows its
    traceback.
    """
