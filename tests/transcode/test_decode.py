"""Every codec that an ingest may name opens and decodes, without any container."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from ingest.rtmp.flv import FlvReader
from ingest.unit import AudioCodec, AudioConfig, AudioUnit, VideoCodec, VideoConfig, VideoUnit
from tests.helpers import ex_tags
from tests.helpers.clips import picture, read_number
from tests.helpers.sight import planes
from transcode.decode import AudioDecoder, VideoDecoder
from transcode.errors import MediaError

WIDTH, HEIGHT, PICTURES = 320, 180, 6


def fail() -> None:
    raise AssertionError("damaged")


def encoded(codec: str) -> list[av.Packet[av.VideoStream]]:
    """Encode numbered pictures; in order of decoding."""
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"deadline": "realtime", "crf": "10", "b": "2000000"}
    packets = []
    for number in range(PICTURES):
        frame = VideoFrame.from_ndarray(picture(number, WIDTH, HEIGHT), "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        packets += encoder.encode(frame)
    return packets + encoder.encode(None)


@pytest.mark.parametrize(
    ("encoder", "four_cc", "codec"),
    [("libvpx", "vp08", VideoCodec.VP8), ("libvpx-vp9", "vp09", VideoCodec.VP9)],
)
def test_vp8_and_vp9_need_no_sequence_header(encoder: str, four_cc: str, codec: VideoCodec) -> None:
    """No sender at hand sends VP8 over RTMP: the tags are made here, the pictures by libvpx."""
    flv, decoder, numbers = FlvReader(), None, []
    for number, packet in enumerate(encoded(encoder)):
        frame_type = 1 if packet.is_keyframe else 2
        tag = ex_tags.video(1, four_cc, bytes(packet), frame_type=frame_type)
        for unit in flv.video(number * 33, tag):
            if isinstance(unit, VideoConfig):
                assert unit.codec == codec
                decoder = VideoDecoder(unit, fail)
            elif isinstance(unit, VideoUnit):
                assert decoder is not None
                numbers += [read_number(planes(frame)[0]) for frame in decoder.decode(unit)]
    assert decoder is not None
    numbers += [read_number(planes(frame)[0]) for frame in decoder.flush()]
    assert numbers == list(range(PICTURES))


@pytest.mark.parametrize(
    ("head", "codec"),
    [(0x72, AudioCodec.PCM_ALAW), (0x83, AudioCodec.PCM_MULAW), (0x3B, AudioCodec.PCM_S16LE)],
)
def test_plain_sound_is_opened_with_its_rate_and_channels(head: int, codec: AudioCodec) -> None:
    channels = 1 + (head & 1)
    rate = 22_050 if codec is AudioCodec.PCM_S16LE else 8_000
    wave = (np.sin(np.arange(800) / 5) * 20_000).astype(np.int16)
    samples = np.repeat(wave, channels)[np.newaxis, :]
    encoder = av.CodecContext.create(codec.value, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.format = rate, "s16"
    encoder.layout = "stereo" if channels == 2 else "mono"
    frame = AudioFrame.from_ndarray(samples, "s16", encoder.layout.name)
    frame.sample_rate = rate
    (packet,) = encoder.encode(frame)
    config, unit = FlvReader().audio(0, bytes((head,)) + bytes(packet))
    assert isinstance(config, AudioConfig)
    assert isinstance(unit, AudioUnit)
    assert config.codec == codec
    (heard,) = AudioDecoder(config, fail).decode(unit)
    assert (heard.sample_rate, len(heard.layout.channels), heard.samples) == (rate, channels, 800)
    error = np.abs(heard.to_ndarray().astype(int) - samples)
    assert error.max() < 1_000  # G.711 keeps 8 bits of the logarithm


def test_a_configuration_that_no_decoder_takes_is_told() -> None:
    with pytest.raises(MediaError, match="pcm_alaw"):
        AudioDecoder(AudioConfig(AudioCodec.PCM_ALAW, b"", 8_000, 99), fail)
