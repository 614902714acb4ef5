"""How far a sample job is."""

from __future__ import annotations

import sys

from benchmark.jobs.sample import SampleSettings
from benchmark.sampling import SAMPLERS
from benchmark.sampling.settings import algorithm_of


class Progress:
    """A progress bar over network evaluations of single images, on stderr; a line every ten seconds in a log."""

    def __init__(self, settings: SampleSettings, images: int, quiet: bool):
        from tqdm import tqdm

        name, options = algorithm_of(settings.algorithm)
        each = SAMPLERS[name].evaluations(options)
        on_screen = sys.stderr.isatty()
        self.kept = 0
        self.bar = tqdm(
            total=None if each is None else each * images,
            desc=f"{settings.dataset}/{settings.task}/{settings.sampler}",
            unit=" evaluations",
            disable=quiet,
            file=sys.stderr,
            mininterval=0.1 if on_screen else 10.0,
            ascii=not on_screen,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_) -> None:
        self.bar.close()

    def reach(self, nfe: int, images: int) -> None:
        """The running batch of ``images`` has had ``nfe`` evaluations each."""
        self.bar.update(self.kept + nfe * images - self.bar.n)

    def keep(self) -> None:
        """The batch is done."""
        self.kept = self.bar.n

    def undo(self) -> None:
        """The batch has to be tried again."""
        self.bar.n = self.kept
        self.bar.refresh()
