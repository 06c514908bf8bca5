"""Sound on the epoch's axis: decoded, resampled, made gapless, encoded once as AAC.

Imports PyAV and NumPy. Runs in the worker only.
"""

from __future__ import annotations

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from transcode.errors import MediaError
from transcode.ladder import AAC_FRAME

CHANNELS = 2
_LAYOUT = "stereo"
_FORMAT = "fltp"

SURROUND_GAIN = np.float32(0.7071)
"""-3 dB where more channels are summed into two, so that what is loud in all does not clip."""

Samples = NDArray[np.float32]


class Resampler:
    """Brings decoded sound to the output's rate, stereo, planar float."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._kind: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None

    def resample(self, frame: AudioFrame) -> Samples:
        """Give `frame` as an array of shape (2, n) at the output's rate.

        A rate change holds a few samples back inside the filter; they come with
        the next frame. Raises MediaError for a layout that cannot be mixed.
        """
        try:
            return self._resampled(frame)
        except (av.FFmpegError, ValueError) as error:
            self._resampler = None
            raise MediaError(f"sound cannot be resampled: {error}") from error

    def _resampled(self, frame: AudioFrame) -> Samples:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or kind != self._kind:
            self._kind = kind
            self._resampler = AudioResampler(_FORMAT, _LAYOUT, self._sample_rate)
        if kind == (_FORMAT, _LAYOUT, self._sample_rate):
            return np.asarray(frame.to_ndarray(), np.float32)
        frame.pts = None
        pieces = [
            np.asarray(piece.to_ndarray(), np.float32) for piece in self._resampler.resample(frame)
        ]
        if not pieces:
            return silence(0)
        samples = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)
        if frame.layout.nb_channels > CHANNELS:
            samples = np.clip(samples * SURROUND_GAIN, -1, 1)
        return samples


class AudioEncoder:
    """Encodes a gapless run of samples as AAC-LC.

    The packets that it gives are for samples [0, 1024), [1024, 2048) ... of what
    was written: the encoder's priming packet is left out.
    """

    def __init__(self, sample_rate: int, bit_rate: int) -> None:
        """Open the encoder. Raises MediaError when libav refuses a setting."""
        try:
            context = av.CodecContext.create("aac", "w")
            context.sample_rate = sample_rate
            context.layout = _LAYOUT
            context.format = _FORMAT
            context.bit_rate = bit_rate
            context.flags |= av.codec.context.Flags.global_header
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"AAC encoder refused: {error}") from error
        self._context: AudioCodecContext = context
        self._sample_rate = sample_rate
        self._pending: list[Samples] = []
        self._pending_samples = 0
        self._sent = 0
        self._priming = True
        self.asc: bytes = bytes(context.extradata or b"")
        """AudioSpecificConfig of what is encoded."""

    def write(self, samples: Samples) -> list[bytes]:
        """Take samples of shape (2, n); give the AAC packets that became whole."""
        self._pending.append(samples)
        self._pending_samples += samples.shape[1]
        if self._pending_samples < AAC_FRAME:
            return []
        joined = np.concatenate(self._pending, axis=1)
        whole = joined.shape[1] - joined.shape[1] % AAC_FRAME
        packets: list[bytes] = []
        for begin in range(0, whole, AAC_FRAME):
            packets += self._encode(joined[:, begin : begin + AAC_FRAME])
        self._pending = [joined[:, whole:]]
        self._pending_samples = joined.shape[1] - whole
        return packets

    def flush(self) -> list[bytes]:
        """Give the packets still held, the last one padded with silence. It is spent after."""
        packets: list[bytes] = []
        if self._pending_samples:
            packets += self.write(silence(AAC_FRAME - self._pending_samples))
        return packets + self._packets(None)

    def _encode(self, samples: Samples) -> list[bytes]:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), _FORMAT, _LAYOUT)
        frame.sample_rate = self._sample_rate
        frame.pts = self._sent
        self._sent += samples.shape[1]
        return self._packets(frame)

    def _packets(self, frame: AudioFrame | None) -> list[bytes]:
        packets = [bytes(packet) for packet in self._context.encode(frame)]
        if self._priming and packets:
            self._priming = False
            return packets[1:]
        return packets


def silence(samples: int) -> Samples:
    """Give `samples` of silence, shape (2, samples)."""
    return np.zeros((CHANNELS, samples), np.float32)
