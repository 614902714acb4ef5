"""The registry of weights that others trained (``public.yaml``): what they are, where they lie, how they are known.

A file is used only when its sha256 is the registry's. Where no hash is published, the one of the first use is recorded
in a lock file beside the weights folder (``weights`` -> ``weights.lock.yaml``), and from then on it counts as the
registry's; the lock file may be committed with an experiment. Files of ``keep: weights`` lie in the weights folder,
those of ``torch_hub`` where torch, lpips and pyiqa look for them ($TORCH_HOME/hub, by default ~/.cache/torch/hub).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path, PurePosixPath

from benchmark.errors import BenchmarkError
from benchmark.store import sha256_of

REGISTRY = Path(__file__).with_name("public.yaml")
FOLDER = Path("weights")
KEEP = ("weights", "torch_hub")
DIFFUSION = ("adm", "ddpm", "diffusers")  # families of entries that can be priors
_ENTRY_KEYS = {"family", "what", "flags", "keep", "folder", "files", "manual", "licence", "citation"}
_FILE_KEYS = {"path", "urls", "size", "about", "sha256"}


@dataclass(frozen=True)
class WeightsFile:
    """One file: ``path`` below the entry's folder; ``size`` in bytes or None; ``sha256``: 64 digits, their first 8 or
    more, or None; ``about``: the size as told by others, for the reader only."""

    path: str
    urls: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None
    about: str | None = None

    @property
    def expected(self) -> str:
        """Size and sha256, as a message says them."""
        size = f"{self.size:,} bytes" if self.size else f"about {self.about}" if self.about else "size unknown"
        if self.sha256 is None:
            return f"{size}, sha256 not published: recorded on first use"
        return f"{size}, sha256 {self.sha256}{'' if len(self.sha256) == 64 else '...'}"


@dataclass(frozen=True)
class Entry:
    """One entry of the registry; ``flags`` are the network's hyper-parameters as its authors call them."""

    name: str
    family: str
    what: str
    files: tuple[WeightsFile, ...]
    keep: str = "weights"
    folder: str | None = None
    flags: dict = field(default_factory=dict)
    manual: str | None = None
    licence: str = "unknown"
    citation: str = ""

    def root(self, folder: str | os.PathLike = FOLDER) -> Path:
        """The folder that the files' paths are relative to."""
        root = torch_hub_folder() if self.keep == "torch_hub" else Path(folder)
        return root / self.folder if self.folder else root

    def place(self, file: WeightsFile, folder: str | os.PathLike = FOLDER) -> Path:
        """Where a file of the entry belongs."""
        return self.root(folder) / file.path

    def path(self, folder: str | os.PathLike = FOLDER) -> Path:
        """What a loader is given: the folder of an entry that is one, else its only file."""
        return self.root(folder) if self.folder else self.place(self.files[0], folder)


def torch_hub_folder() -> Path:
    """The folder in which torch and pyiqa keep downloaded weights."""
    default = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch"
    return Path(os.environ.get("TORCH_HOME", default)).expanduser() / "hub"


# ------------------------------------------------------------------------------------------------------------- reading
@cache
def load(path: str | os.PathLike = REGISTRY) -> dict[str, Entry]:
    """Every entry of a registry file by its name.

    Raises:
        BenchmarkError: no such file, not YAML, an unknown or missing key, a path that leaves its folder, an address
            that is not https, a hash that is none.
    """
    import yaml

    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such registry of weights")
    try:
        document = yaml.safe_load(Path(path).read_text())
    except yaml.YAMLError as error:
        raise BenchmarkError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise BenchmarkError(f"{path}: expected entries by name")
    return {name: _entry(f"{path}: {name}", name, spec) for name, spec in document.items()}


def _entry(where: str, name: str, spec: object) -> Entry:
    _check_keys(where, spec, _ENTRY_KEYS, {"family", "what", "files"})
    if spec.get("keep", "weights") not in KEEP:
        raise BenchmarkError(f"{where}: keep is {spec['keep']!r}; it is one of {', '.join(KEEP)}")
    if not isinstance(spec["files"], list) or not spec["files"]:
        raise BenchmarkError(f"{where}: files: expected a list of one file or more")
    if len(spec["files"]) > 1 and not spec.get("folder"):
        raise BenchmarkError(f"{where}: folder: missing; an entry of several files is a folder")
    files = tuple(_file(f"{where}: files[{i}]", file) for i, file in enumerate(spec["files"]))
    if spec.get("folder"):
        check_path(f"{where}: folder", spec["folder"])
    return Entry(name=name, **{**spec, "files": files, "flags": dict(spec.get("flags") or {})})


def _file(where: str, spec: object) -> WeightsFile:
    _check_keys(where, spec, _FILE_KEYS, {"path"})
    check_path(f"{where}: path", spec["path"])
    for url in spec.get("urls") or ():
        if not str(url).startswith("https://"):
            raise BenchmarkError(f"{where}: {url}: not an https address")
    sha256 = spec.get("sha256")
    if sha256 is not None and not re.fullmatch("[0-9a-f]{8,64}", str(sha256)):
        raise BenchmarkError(f"{where}: sha256 is {sha256!r}; it must be null or 8 to 64 digits 0-9a-f in quotes")
    return WeightsFile(**{**spec, "urls": tuple(spec.get("urls") or ())})


def _check_keys(where: str, spec: object, known: set[str], required: set[str]) -> None:
    if not isinstance(spec, dict):
        raise BenchmarkError(f"{where}: expected keys and values")
    if unknown := set(spec) - known:
        raise BenchmarkError(f"{where}: unknown key {sorted(unknown)[0]!r}: known keys are {', '.join(sorted(known))}")
    if missing := required - set(spec):
        raise BenchmarkError(f"{where}: {sorted(missing)[0]}: missing")


def check_path(where: str, path: object) -> None:
    """Refuse a file name that could leave its folder: absolute, with .. or backslashes, empty.

    Raises:
        BenchmarkError: such a name.
    """
    parts = PurePosixPath(path).parts if isinstance(path, str) else ()
    if not parts or parts[0] == "/" or ".." in parts or re.search(r"[\\:\x00-\x1f]", path):
        raise BenchmarkError(f"{where}: {path!r} is no file name below its folder")


def lookup(name: str, registry: str | os.PathLike = REGISTRY) -> Entry:
    """The entry called ``name``.

    Raises:
        BenchmarkError: there is none; the message has the known names.
    """
    entries = load(registry)
    if name not in entries:
        raise BenchmarkError(f"unknown weights {name!r}: known weights are {', '.join(sorted(entries))}")
    return entries[name]


def diffusion_entry(name: str, registry: str | os.PathLike = REGISTRY) -> Entry:
    """The entry of a diffusion model by its name, or by its name on the Hugging Face hub.

    Raises:
        BenchmarkError: there is none; the message has the known names.
    """
    models = diffusion_models(registry)
    for entry in models.values():
        if name in (entry.name, entry.flags.get("hub")):
            return entry
    raise BenchmarkError(f"unknown diffusion model {name!r}: known models are {', '.join(sorted(models))}")


def diffusion_models(registry: str | os.PathLike = REGISTRY) -> dict[str, Entry]:
    """The entries that are diffusion models."""
    return {name: entry for name, entry in load(registry).items() if entry.family in DIFFUSION}


# ------------------------------------------------------------------------------------------------------------ checking
def locate(name: str, folder: str | os.PathLike = FOLDER, registry: str | os.PathLike = REGISTRY) -> Path:
    """The checked path of an entry: its file or, where it is a folder, the folder.

    Every file's sha256 is compared with the registry's or the lock file's; an unknown one is recorded there.

    Raises:
        BenchmarkError: unknown name; a missing file (which one, where to put it, its size and sha256); another hash.
    """
    entry = lookup(name, registry)
    for file in entry.files:
        verify(entry, file, folder)
    return entry.path(folder)


def verify(entry: Entry, file: WeightsFile, folder: str | os.PathLike = FOLDER) -> str:
    """The sha256 of one file, compared with what is known of it and recorded where that is less than all.

    Raises:
        BenchmarkError: missing file, another size, another hash.
    """
    path = entry.place(file, folder)
    if not path.is_file():
        raise BenchmarkError(missing(entry, file, folder))
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise BenchmarkError(
            f"weights {entry.name}: {path} has {size:,} bytes, expected {file.expected}: truncated or another file; "
            "delete it and fetch it again"
        )
    found = sha256_of(path)
    accept(entry, file, path, found, folder)
    return found


def with_recorded(entry: Entry, file: WeightsFile, folder: str | os.PathLike = FOLDER) -> WeightsFile:
    """The file with all that is known of its sha256: where the registry has not all of it, what the lock file has."""
    if len(file.sha256 or "") == 64:
        return file
    recorded = read_lock(lock_path(folder)).get(_key(entry, file))
    return replace(file, sha256=recorded or file.sha256)


def accept(entry: Entry, file: WeightsFile, path: Path, found: str, folder: str | os.PathLike) -> None:
    """Compare a file's sha256 with what is known of it; record it where that is less than all.

    Raises:
        BenchmarkError: another hash.
    """
    known = with_recorded(entry, file, folder).sha256
    for expected, source in ((file.sha256, "expected"), (known, f"{lock_path(folder)} has recorded")):
        if expected is not None and not found.startswith(expected):
            raise BenchmarkError(
                f"weights {entry.name}: {path}: sha256 is {found}, {source} {expected}: truncated or another file; "
                "delete it and fetch it again"
            )
    if len(known or "") < 64:
        _record(lock_path(folder), _key(entry, file), found)


def _key(entry: Entry, file: WeightsFile) -> str:
    return f"{entry.name}/{file.path}"


def missing(entry: Entry, file: WeightsFile, folder: str | os.PathLike) -> str:
    """One line for a file that is not there: where it belongs, how to get it, how it is known."""
    place = entry.place(file, folder)
    elsewhere = "" if Path(folder) == FOLDER else f" --dir {folder}"
    how = f"run `python -m benchmark weights fetch {entry.name}{elsewhere}` or put it there"
    if not file.urls:
        how = f"get it {entry.manual or 'by hand'} and put it there"
    return f"weights {entry.name}: no file {place}; {how} ({file.expected})"


# --------------------------------------------------------------------------------------------------------- lock file
def lock_path(folder: str | os.PathLike = FOLDER) -> Path:
    """The lock file of a weights folder: beside it, under its name."""
    folder = Path(os.path.abspath(folder))
    return folder.with_name(f"{folder.name}.lock.yaml")


def read_lock(path: Path) -> dict[str, str]:
    """Recorded hashes: {ENTRY/FILE: sha256}; empty where nothing is recorded yet.

    Raises:
        BenchmarkError: a lock file that is none.
    """
    import yaml

    if not path.is_file():
        return {}
    try:
        document = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict) or not all(re.fullmatch("[0-9a-f]{64}", str(v)) for v in document.values()):
        raise BenchmarkError(f'{path}: not a lock file (one `ENTRY/FILE: "SHA256"` a line); mend or delete it')
    return document


def _record(path: Path, key: str, sha256: str) -> None:
    """Append one line; jobs that record at the same time each add theirs."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a") as lock:
            if lock.tell() == 0:
                lock.write("# sha256 of weights at their first use; see benchmark/weights/public.py\n")
            lock.write(f'{key}: "{sha256}"\n')
    except OSError as error:
        raise BenchmarkError(
            f'{path}: cannot record the sha256 of {key} ({error.strerror}); add the line `{key}: "{sha256}"` to it'
        ) from None
