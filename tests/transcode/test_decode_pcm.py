"""Codecs whose bytes do not tell their shape are opened with the config's."""

from __future__ import annotations

import pytest

from ingest.unit import AudioCodec, AudioConfig, AudioUnit
from transcode.decode import AudioDecoder
from transcode.errors import MediaError

BYTES = {
    AudioCodec.PCM_ALAW: 1, AudioCodec.PCM_MULAW: 1, AudioCodec.PCM_U8: 1,
    AudioCodec.PCM_S16LE: 2, AudioCodec.PCM_S16BE: 2, AudioCodec.PCM_S24LE: 3,
    AudioCodec.PCM_S32LE: 4, AudioCodec.PCM_F32LE: 4,
}  # fmt: skip


def test_every_kind_is_tried() -> None:
    assert set(BYTES) == {codec for codec in AudioCodec if codec.startswith("pcm_")}


@pytest.mark.parametrize(("codec", "size"), BYTES.items())
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_samples_are_decoded(codec: AudioCodec, size: int, channels: int) -> None:
    broken: list[int] = []
    decoder = AudioDecoder(AudioConfig(codec, b"", 8_000, channels), lambda: broken.append(1))
    (frame,) = decoder.decode(AudioUnit(0, bytes(160 * size * channels)))
    assert (frame.samples, frame.sample_rate) == (160, 8_000)
    assert len(frame.layout.channels) == channels
    assert broken == []


@pytest.mark.parametrize(("rate", "channels"), [(0, 2), (8_000, 0), (8_000, 99)])
def test_a_shape_that_is_none_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(MediaError):
        AudioDecoder(AudioConfig(AudioCodec.PCM_ALAW, b"", rate, channels), lambda: None)
