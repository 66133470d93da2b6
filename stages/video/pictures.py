"""From a picture to the frames of its scene, in the film's own colours. Knows no time and no encoder.

A picture is turned once into three planes (BT.709, limited range) that are a little larger than the film; each frame is
a window of them, resampled at fractions of a pixel, so that a slow camera does not step. A frame of 1280x720 takes 7.5 ms
on one core this way, 5.2 where linear resampling will do; resampling RGB takes 13.3 ms and leaves the conversion to be done.
"""

from __future__ import annotations

import io
import math
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from stages.pipeline.errors import SceneFailure
from stages.video.camera import Window

BLACK, NO_COLOUR = 16, 128
FORMATS = ("PNG", "JPEG", "WEBP")
# A picture enlarged this much has no detail that a cubic kernel would keep and a linear one would lose.
LINEAR_FROM_ENLARGEMENT = 2.0
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, zlib.error, Image.DecompressionBombError)

# ITU-R BT.709, limited range: rows are Y, Cb, Cr over R, G, B in 0..255.
_KR, _KB = 0.2126, 0.0722
_KG = 1 - _KR - _KB
_TO_YCBCR = np.array(
    [
        [219 * _KR, 219 * _KG, 219 * _KB],
        [-112 * _KR / (1 - _KB), -112 * _KG / (1 - _KB), 112.0],
        [112.0, -112 * _KG / (1 - _KR), -112 * _KB / (1 - _KR)],
    ],
    dtype=np.float32,
) / np.float32(255)


@dataclass(frozen=True)
class Planes:
    """A picture as three 8-bit planes; chroma has half the width and height of luma. `kernel` is how luma is resampled."""

    y: Image.Image
    cb: Image.Image
    cr: Image.Image
    kernel: Image.Resampling = Image.Resampling.BICUBIC


def read_picture(data: bytes) -> Image.Image:
    """The picture in RGB. Raises SceneFailure when the bytes are no picture, or half of one."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return image.convert("RGB")
    except DAMAGE as error:
        raise SceneFailure(f"the picture cannot be read ({error})") from error


def prepare(picture: Image.Image, width: int, height: int, zoom: float) -> Planes:
    """Cut the picture to the film's shape and scale it once, to where the closest view shows it pixel by pixel."""
    size = (_even(width * zoom), _even(height * zoom))
    box = covering(picture.size, width / height)
    scaled = picture.resize(size, Image.Resampling.LANCZOS, box=box)
    fine = size[0] < LINEAR_FROM_ENLARGEMENT * (box[2] - box[0])
    rgb = np.asarray(scaled, dtype=np.float32)
    y = rgb @ _TO_YCBCR[0] + BLACK
    # Averaging four neighbours first and converting then is the same sum, on a quarter of the pixels.
    quarter = rgb.reshape(size[1] // 2, 2, size[0] // 2, 2, 3).mean(axis=(1, 3))
    return Planes(
        _plane(y),
        _plane(quarter @ _TO_YCBCR[1] + NO_COLOUR),
        _plane(quarter @ _TO_YCBCR[2] + NO_COLOUR),
        Image.Resampling.BICUBIC if fine else Image.Resampling.BILINEAR,
    )


def covering(size: tuple[int, int], aspect: float) -> tuple[float, float, float, float]:
    """The largest centred box of the given aspect (width / height) inside a picture, in pixels."""
    width, height = float(size[0]), float(size[1])
    box_width, box_height = min(width, height * aspect), min(height, width / aspect)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height


def view(planes: Planes, window: Window, width: int, height: int) -> Planes:
    """What the camera sees of a picture, as one frame of `width` x `height` pixels (both even)."""
    source_width, source_height = planes.y.size
    left, top, right, bottom = window
    box = (left * source_width, top * source_height, right * source_width, bottom * source_height)
    # H.264 places a chroma sample over the left of its two pixels: a quarter of a chroma pixel left of their middle.
    half_left = max(0.0, box[0] / 2 - 0.25 * (box[2] - box[0]) / width)
    half_box = (half_left, box[1] / 2, half_left + (box[2] - box[0]) / 2, box[3] / 2)
    half = (width // 2, height // 2)
    return Planes(
        planes.y.resize((width, height), planes.kernel, box=box),
        planes.cb.resize(half, Image.Resampling.BILINEAR, box=half_box),
        planes.cr.resize(half, Image.Resampling.BILINEAR, box=half_box),
    )


def black(width: int, height: int) -> Planes:
    """A black frame."""
    half = (width // 2, height // 2)
    return Planes(
        Image.new("L", (width, height), BLACK), Image.new("L", half, NO_COLOUR), Image.new("L", half, NO_COLOUR)
    )


def dissolve(under: Planes, over: Planes, weight: float) -> Planes:
    """One frame out of two; `weight` is the share of `over`, 0 to 1."""
    return Planes(
        Image.blend(under.y, over.y, weight),
        Image.blend(under.cb, over.cb, weight),
        Image.blend(under.cr, over.cr, weight),
    )


def packed(frame: Planes) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """The planes one after the other, uint8 of shape (height * 3 / 2, width): the layout of yuv420p."""
    width, height = frame.y.size
    luma, chroma = width * height, width * height // 4
    data = np.empty(luma + 2 * chroma, dtype=np.uint8)
    data[:luma] = np.asarray(frame.y).reshape(-1)
    data[luma : luma + chroma] = np.asarray(frame.cb).reshape(-1)
    data[luma + chroma :] = np.asarray(frame.cr).reshape(-1)
    return data.reshape(height * 3 // 2, width)


def _plane(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Image.Image:
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def _even(length: float) -> int:
    return 2 * math.ceil(length / 2 - 1e-6)
