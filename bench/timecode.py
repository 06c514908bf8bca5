"""A time as blocks along a picture's top edge, readable after any transcoding.

32 columns, one bit of a number of milliseconds each, the highest at the left; the second row has
the inverse of the first, so that a bit is told by comparing and a spoilt one is noticed.
Imports NumPy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BITS = 32
PERIOD_MS = 1 << BITS
STRIP = 1 / 9
"""Height of both rows, of the picture's."""
BLACK, WHITE = 16, 235


def draw(luma: NDArray[np.uint8], ms: int) -> None:
    """Write `ms` into a luma plane, in place. Its width must be a multiple of 32."""
    rows = int(luma.shape[0] * STRIP / 2)
    bits = ms % PERIOD_MS >> np.arange(BITS - 1, -1, -1) & 1
    row = np.repeat(np.where(bits, WHITE, BLACK).astype(np.uint8), luma.shape[1] // BITS)
    luma[:rows] = row
    luma[rows : 2 * rows] = WHITE + BLACK - row


def age(code: int, shown_ms: float, period_ms: float, early_ms: float) -> float:
    """Give the milliseconds from the time in a picture to `shown_ms`, both since the same instant.

    The times in the pictures begin anew every `period_ms`; none is shown more than `early_ms`
    before its time, so that all ages up to `period_ms - early_ms` are told from each other.
    """
    return (shown_ms - code + early_ms) % period_ms - early_ms


READ = """
const reader = () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 20 });
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  return (video) => {
    const strip = video.videoHeight / 9;
    pen.drawImage(video, 0, 0, video.videoWidth, strip, 0, 0, 320, 20);
    const { data } = pen.getImageData(0, 0, 320, 20);
    const green = (column, row) => data[4 * (row * 320 + column) + 1];
    let code = 0;
    for (let bit = 0; bit < 32; bit += 1) {
      const difference = green(10 * bit + 5, 5) - green(10 * bit + 5, 15);
      if (Math.abs(difference) < 80) return null;
      code = 2 * code + (difference > 0 ? 1 : 0);
    }
    return code;
  };
};
"""
"""JavaScript: `reader()` makes a function of a video element to the code in it, or null."""
