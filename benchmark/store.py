"""Files: the only place that knows their formats.

Every table is Parquet (zstd, dictionary-encoded keys) and carries in its metadata the *kind* of table, the resolved
settings that made it, their fingerprint, and where it came from (package, weights, device). Images are PNG bytes in a
struct ``{bytes, path}``, which the Hugging Face ``datasets`` library shows as pictures. A file is written under a
temporary name and renamed, so that a reader sees all of it or nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.errors import BenchmarkError

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
KEY = pa.dictionary(pa.int32(), pa.string())
SET_KEYS = ("dataset", "task", "case", "sampler", "method", "eta", "D", "D_unit", "D_rms", "seed")
_SET_KEY_FIELDS = [
    ("dataset", KEY),
    ("task", KEY),
    ("case", KEY),
    ("sampler", KEY),
    ("method", KEY),
    ("eta", pa.float64()),
    ("D", pa.float64()),
    ("D_unit", KEY),
    ("D_rms", pa.float64()),
    ("seed", pa.int64()),
    ("index", pa.int64()),
]
SCHEMAS: dict[str, pa.Schema] = {
    "cases": pa.schema(
        [
            ("dataset", KEY),
            ("mask", KEY),
            ("case", pa.string()),
            ("image", IMAGE),
            ("hole", IMAGE),
            ("hole_fraction", pa.float64()),
            ("attributes", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
        ]
    ),
    "sets": pa.schema(
        [
            *_SET_KEY_FIELDS,
            ("image", IMAGE),
            ("nfe", pa.int64()),
            ("seconds", pa.float64()),
            ("gate_open", pa.float64()),
            ("finite", pa.bool_()),
            ("consistency", pa.float64()),
        ]
    ),
    "metrics": pa.schema([*_SET_KEY_FIELDS, ("metric", KEY), ("value", pa.float64())]),
    "truth": pa.schema(
        [
            *((name, KEY) for name in ("problem", "world", "case", "sampler", "preset")),
            ("steps", pa.int64()),
            ("nfe", pa.int64()),
            ("method", KEY),
            ("eta", pa.float64()),
            ("D", pa.float64()),
            ("D_unit", KEY),
            ("metric", KEY),
            ("value", pa.float64()),
            ("exact", pa.float64()),
        ]
    ),
}


# ------------------------------------------------------------------------------------------------------------ settings
def canonical(settings: object) -> str:
    """Settings as one canonical JSON string: sorted keys, no spaces; infinities as the strings "inf" and "-inf"."""
    return _ENCODER.encode(_plain(settings))


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): item if type(item) in _AS_IT_IS else _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def fingerprint(settings: object) -> str:
    """The first 16 hexadecimal digits of the sha256 of the canonical settings."""
    return fingerprint_of_text(canonical(settings))


def fingerprint_of_text(text: str) -> str:
    """The same of settings that are a canonical string already."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sha256_of(path: str | os.PathLike) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def load_settings(text: str) -> dict:
    """Settings from a JSON string or from a JSON file's path; "inf" under a key named D becomes an infinity.

    Raises:
        BenchmarkError: no such file, or not a JSON object.
    """
    source = text
    if not text.lstrip().startswith("{"):
        if not Path(text).is_file():
            raise BenchmarkError(f"--settings: {text!r} is neither a JSON object nor an existing file")
        try:
            source = Path(text).read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError) as error:
            raise BenchmarkError(f"--settings: {text}: not a readable text file: {error}") from None
    try:
        settings = json.loads(source)
    except json.JSONDecodeError as error:
        raise BenchmarkError(f"--settings: not valid JSON: {error}") from None
    if not isinstance(settings, dict):
        raise BenchmarkError("--settings: expected a JSON object")
    return _restore_infinity(settings)


def _restore_infinity(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: math.inf if k == "D" and v == "inf" else _restore_infinity(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_restore_infinity(item) for item in value]
    return value


# --------------------------------------------------------------------------------------------------------------- files
@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; renamed to ``path`` on success, removed on failure."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text)


def write_table(
    path: str | os.PathLike, kind: str, rows: list[dict], settings: dict, provenance: dict | None = None
) -> None:
    """Write rows (dictionaries keyed by the columns of ``SCHEMAS[kind]``) atomically, settings in the metadata.

    Missing columns become null; a column that the schema does not have is a bug and raises ``ValueError``. Attributes
    may be a dictionary. A metric without a value (NaN) is null in the file: readers' averages leave nulls out, and some
    readers look for NaN in vain, since a column's statistics do not tell of it.
    """
    schema = SCHEMAS[kind]
    if kind == "metrics":
        rows = [row | {"value": None} if row.get("value") != row.get("value") else row for row in rows]
    rows = [
        row | {"attributes": list(row["attributes"].items())} if isinstance(row.get("attributes"), dict) else row
        for row in rows
    ]
    unknown = {key for row in rows for key in row} - set(schema.names)
    if unknown:
        raise ValueError(f"a table of {kind} has no column {sorted(unknown)}")
    metadata = {
        "benchmark_kind": kind,
        "benchmark_settings": canonical(settings),
        "benchmark_fingerprint": fingerprint(settings),
        "benchmark_provenance": canonical(provenance or {}),
        "huggingface": canonical({"info": {"features": _pictures(schema)}}),
    }
    table = pa.Table.from_pylist(rows, schema=schema.with_metadata(metadata))
    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _pictures(schema: pa.Schema) -> dict:
    """What tells the ``datasets`` library that a column holds pictures."""
    return {field.name: {"_type": "Image"} for field in schema if field.type == IMAGE}


def read_table(
    path: str | os.PathLike, kind: str | None = None, settings: dict | str | Sequence[str] | None = None
) -> pa.Table:
    """Read a table; refuse one of another kind or one that other ``settings`` made.

    Args:
        settings: what made the table, or their fingerprint, or several of which it must have one; None for any.

    Raises:
        BenchmarkError: missing or damaged file, another kind of table or of columns, a fingerprint that differs.
    """
    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such file; the stage that writes it has not run")
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table would import pandas, for a second
            table = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise BenchmarkError(
            f"{path}: not a readable Parquet file ({str(error).splitlines()[0]}); delete it and run again"
        ) from None
    metadata = table.schema.metadata or {}
    found = metadata.get(b"benchmark_kind", b"?").decode()
    if kind is not None and found != kind:
        raise BenchmarkError(f"{path}: holds a table of {found!r}, a table of {kind!r} was expected")
    if kind is not None and not table.schema.equals(SCHEMAS[kind]):
        raise BenchmarkError(f"{path}: its columns are not those of this version's {kind}; delete it and run again")
    if settings is not None:
        _expect(path, metadata, fingerprint(settings) if isinstance(settings, dict) else settings)
    return table


def expect(path: str | os.PathLike, settings: str | None) -> None:
    """Refuse a file that carries another fingerprint than the expected one, without reading its rows; None expects
    nothing.

    Raises:
        BenchmarkError: no such file, not Parquet, or another fingerprint.
    """
    if settings is None:
        return
    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such file; the stage that writes it has not run")
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, ValueError):
        raise BenchmarkError(f"{path}: not a readable Parquet file; delete it and run again") from None
    _expect(path, metadata, settings)


def _expect(path: str | os.PathLike, metadata: dict[bytes, bytes], expected: str | Sequence[str]) -> None:
    """The check of fingerprints: every reader's."""
    found, among = _fingerprint_in(metadata), [expected] if isinstance(expected, str) else list(expected)
    if found not in among:
        is_one = f"is {among[0]}" if len(among) == 1 else f"are {', '.join(among)}"
        raise BenchmarkError(
            f"{path}: made with other settings (fingerprint {found}, the configuration's {is_one}); "
            "delete it and run again"
        )


def fingerprint_of(table: pa.Table) -> str:
    """The fingerprint of the settings that made a table; ? where it has none."""
    return _fingerprint_in(table.schema.metadata or {})


def _fingerprint_in(metadata: dict[bytes, bytes]) -> str:
    return metadata.get(b"benchmark_fingerprint", b"?").decode()


def settings_of(table: pa.Table) -> dict:
    """The settings that made a table."""
    return _restore_infinity(json.loads((table.schema.metadata or {}).get(b"benchmark_settings", b"{}")))


def provenance_of(table: pa.Table) -> dict:
    """Package and weights versions, device: whatever the writer recorded."""
    return json.loads((table.schema.metadata or {}).get(b"benchmark_provenance", b"{}"))


# -------------------------------------------------------------------------------------------------------------- images
def to_uint8(image: np.ndarray) -> np.ndarray:
    """[-1, 1] float (C, H, W) to 0..255 uint8 (H, W, C), rounded; non-finite values become 0."""
    scaled = np.nan_to_num((np.asarray(image, np.float64) + 1) * 127.5, nan=0.0, posinf=255.0, neginf=0.0)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8).transpose(1, 2, 0)


def encode_image(image: np.ndarray, path: str | None = None) -> dict:
    """An image, float (C, H, W) in [-1, 1] with C = 1 or 3, as the struct {bytes: PNG, path}."""
    from PIL import Image

    pixels = to_uint8(image)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, format="PNG", compress_level=3)
    return {"bytes": buffer.getvalue(), "path": path}


def decode_image(struct: dict) -> np.ndarray:
    """The inverse of :func:`encode_image`: float32 (C, H, W) in [-1, 1]."""
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(struct["bytes"])), dtype=np.float32)
    pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return pixels / np.float32(127.5) - np.float32(1)


def encode_hole(hole: np.ndarray | None) -> dict | None:
    """A hole, bool (H, W), as PNG struct: 255 = unknown, 0 = known."""
    return None if hole is None else encode_image(np.where(hole, 1.0, -1.0)[None])


def decode_hole(struct: dict | None) -> np.ndarray | None:
    """The inverse of :func:`encode_hole`: bool (H, W)."""
    return None if struct is None else decode_image(struct)[0] > 0


# ------------------------------------------------------------------------------------------------------ cases and sets
@dataclass(frozen=True)
class Case:
    """One row of a cases file: the truth and what is hidden of it."""

    dataset: str
    mask: str
    case: str
    image: np.ndarray  # float32 (C, H, W) in [-1, 1]
    hole: np.ndarray | None  # bool (H, W), True = unknown
    attributes: dict[str, str]


@dataclass(frozen=True)
class RestorationSet:
    """N restorations of one case: the rows of a set file that share all keys but ``index``."""

    keys: dict  # SET_KEYS -> value
    index: np.ndarray  # int (N,)
    images: np.ndarray  # float32 (N, C, H, W) in [-1, 1]
    columns: dict[str, np.ndarray]  # nfe, seconds, gate_open, finite, consistency: (N,)


def read_cases(path: str | os.PathLike, settings: dict | str | None = None) -> dict[str, Case]:
    """The cases of a file by their name, in the file's order."""
    return {
        row["case"]: Case(
            row["dataset"],
            row["mask"],
            row["case"],
            decode_image(row["image"]),
            decode_hole(row["hole"]),
            {pair["key"]: pair["value"] for pair in row["attributes"] or []},
        )
        for row in read_table(path, "cases", settings).to_pylist()
    }


def read_sets(path: str | os.PathLike, settings: dict | str | None = None) -> list[RestorationSet]:
    """The sets of a file, in the file's order; rows of a set ordered by index."""
    return sets_of(read_table(path, "sets", settings), path)


def sets_of(table: pa.Table, path: str | os.PathLike) -> list[RestorationSet]:
    """The sets of a table that was read from ``path``, as :func:`read_sets` gives them."""
    groups: dict[tuple, list[dict]] = {}
    for row in table.to_pylist():
        groups.setdefault(tuple(row[key] for key in SET_KEYS), []).append(row)
    sets = []
    for keys, rows in groups.items():
        rows.sort(key=lambda row: row["index"])
        columns = ("nfe", "seconds", "gate_open", "finite", "consistency")
        images = [decode_image(row["image"]) for row in rows]
        if len({image.shape for image in images}) > 1:
            sizes = " and ".join(sorted({"x".join(map(str, image.shape)) for image in images}))
            raise BenchmarkError(
                f"{path}: case {rows[0]['case']}: restorations of different size ({sizes}); delete it and run again"
            )
        sets.append(
            RestorationSet(
                dict(zip(SET_KEYS, keys, strict=True)),
                np.array([row["index"] for row in rows]),
                np.stack(images),
                {name: np.array([row[name] for row in rows]) for name in columns},
            )
        )
    return sets
