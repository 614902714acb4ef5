"""Image files: read whatever is common, and fit it to the square (or rectangle) that a prior expects."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from benchmark.errors import BenchmarkError

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".gif"),
    *(".jp2", ".avif"),  # where Pillow was built with them; else they are refused as not readable
)


def read_image(path: str | os.PathLike):
    """An image file as a PIL image of 8-bit RGB.

    The orientation that a camera has written beside the pixels (EXIF) is applied; grey becomes three equal channels;
    16-bit grey is divided by 257 and rounded, of 16-bit colour the upper 8 bits are taken; what is transparent is laid
    over white; of an animation, the first picture counts.

    Raises:
        BenchmarkError: no such file, a file that is no image or is damaged, pixels that are real numbers.
    """
    from PIL import ImageOps

    image = ImageOps.exif_transpose(_open(path))
    if image.mode.startswith("I"):
        image = _from_16_bit(image, path)
    if image.mode == "F":
        raise BenchmarkError(f"{path}: real-valued pixels, whose range is not known; save it with 8 or 16 bits")
    if "A" in image.getbands() or "transparency" in image.info:
        return _over_white(image.convert("RGBA"))
    return image.convert("RGB")


def read_grey(path: str | os.PathLike) -> tuple[np.ndarray, bool]:
    """An image file as grey levels uint8 (H, W), and whether it is a JPEG; transparency is not looked at.

    Raises:
        BenchmarkError: no such file, a file that is no image or is damaged.
    """
    image = _open(path)
    jpeg = image.format in ("JPEG", "MPO")
    image = _from_16_bit(image, path) if image.mode.startswith("I") else image
    return np.asarray(image.convert("RGB" if image.mode == "P" else "L").convert("L")), jpeg


def _open(path: str | os.PathLike):
    from PIL import Image

    if not Path(path).is_file():
        raise BenchmarkError(f"{path}: no such image")
    try:
        image = Image.open(path)
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise BenchmarkError(f"{path}: not a readable image ({' '.join(str(error).split())})") from None
    return image


def _from_16_bit(image, path):
    from PIL import Image

    levels = np.asarray(image).astype(np.int64)
    if levels.min() < 0 or levels.max() > 65535:
        raise BenchmarkError(f"{path}: grey levels {levels.min()} to {levels.max()}; 0 to 65535 are expected")
    return Image.fromarray(((levels + 128) // 257).astype(np.uint8))


def _over_white(image):
    from PIL import Image

    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def fit(image, shape: tuple[int, int]):
    """A PIL image resized to cover ``shape`` = (H, W), then cut to it in the middle.

    As the data loader of guided-diffusion does it, whose checkpoints were trained on such pictures: halved by box
    averages while it is twice as large or more, then resized bicubically (with the filter widened, hence anti-aliased);
    the cut leaves out as much on either side. A smaller image is enlarged; one of this size is returned as it is.
    """
    from PIL import Image

    height, width = shape
    while image.width >= 2 * width and image.height >= 2 * height:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    scaled = _covering(image.height, image.width, shape)
    if scaled != (image.height, image.width):
        image = image.resize(scaled[::-1], Image.Resampling.BICUBIC)
    top, left = (image.height - height) // 2, (image.width - width) // 2
    return image.crop((left, top, left + width, top + height))


def fit_nearest(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Labels or a mask (h, w, ...) brought to ``shape`` as :func:`fit` brings its picture, by the nearest pixel."""
    scaled = _covering(*array.shape[:2], shape)
    rows, columns = (
        np.clip(np.floor((np.arange(side) + (full - side) // 2 + 0.5) * length / full).astype(int), 0, length - 1)
        for side, full, length in zip(shape, scaled, array.shape, strict=False)
    )
    return array[rows][:, columns]


def _covering(height: int, width: int, shape: tuple[int, int]) -> tuple[int, int]:
    scale = max(shape[0] / height, shape[1] / width)
    return max(shape[0], round(height * scale)), max(shape[1], round(width * scale))


def to_float(image) -> np.ndarray:
    """A PIL image of 8-bit RGB as float32 (3, H, W) in [-1, 1]."""
    return np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
