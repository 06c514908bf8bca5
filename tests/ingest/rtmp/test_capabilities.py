"""What `connect` announces, both ways, by encoder and version."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.rtmp.amf0 import UNDEFINED, Date, EcmaArray, Value
from ingest.rtmp.capabilities import (
    CapsEx,
    FourCcInfo,
    announce,
    read_capabilities,
)
from ingest.rtmp.flv import FlvReader
from tests.helpers import connects, ex_tags

DECODE, ENCODE, FORWARD = FourCcInfo.CAN_DECODE, FourCcInfo.CAN_ENCODE, FourCcInfo.CAN_FORWARD


@pytest.mark.parametrize("encoder", connects.SILENT)
def test_encoders_that_announce_nothing(encoder: str) -> None:
    read = read_capabilities(connects.SILENT[encoder])
    assert not read.announced
    assert (read.codecs, read.extended) == (frozenset(), CapsEx(0))


@pytest.mark.parametrize("encoder", ["lavf-62", "haishinkit"])
def test_encoders_that_announce_a_list(encoder: str) -> None:
    read = read_capabilities(connects.ENHANCED[encoder])
    assert read.announced
    assert read.codecs == {"hvc1", "av01", "vp09"}
    assert read.extended == CapsEx(0)


@pytest.mark.parametrize("encoder", ["example-v2", "example-v2-ecma"])
def test_clients_that_announce_all_of_it(encoder: str) -> None:
    read = read_capabilities(connects.ENHANCED[encoder])
    assert read.announced
    assert read.codecs == {"*"}
    assert read.video == {"*": FORWARD, "vp09": DECODE | ENCODE}
    assert read.audio == {"*": FORWARD, "Opus": DECODE | ENCODE}
    assert CapsEx.RECONNECT in read.extended


@pytest.mark.parametrize(
    "said",
    [
        ["hvc1", "Opus"],
        {"0": "hvc1", "1": "Opus"},
        EcmaArray({"0": "hvc1", "1": "Opus"}),
        ["hvc1", 7.0, None, "Opus", "x" * 100],
    ],
)
def test_a_list_may_be_written_in_many_ways(said: Value) -> None:
    assert read_capabilities({"fourCcList": said}).codecs == {"hvc1", "Opus"}


def test_a_map_may_be_a_bare_list() -> None:
    read = read_capabilities({"videoFourCcInfoMap": ["av01"], "audioFourCcInfoMap": "*"})
    assert read.video == {"av01": DECODE}
    assert read.audio == {"*": DECODE}


@pytest.mark.parametrize(
    ("said", "extended"),
    [
        (1.0, CapsEx.RECONNECT),
        (6.0, CapsEx.MULTITRACK | CapsEx.MOD_EX),
        (255.0, CapsEx(15)),
        (-1.0, CapsEx(0)),
        (1e300, CapsEx(0)),
        (float("nan"), CapsEx(0)),
        (float("inf"), CapsEx(0)),
        (True, CapsEx(0)),
        ("1", CapsEx(0)),
        (None, CapsEx(0)),
    ],
)
def test_flags_that_make_no_sense_are_not_set(said: Value, extended: CapsEx) -> None:
    read = read_capabilities({"capsEx": said})
    assert (read.extended, read.announced) == (extended, True)


def test_what_is_kept_is_bounded() -> None:
    many: list[Value] = [f"{n:04}" for n in range(1000)]
    flags: dict[str, Value] = {f"{n:04}": 1.0 for n in range(1000)}
    read = read_capabilities({"fourCcList": many, "videoFourCcInfoMap": flags})
    assert len(read.codecs) == len(read.video) == 64


def test_each_codec_that_is_announced_is_taken() -> None:
    said = announce()
    codecs, video, audio = (
        said[name] for name in ("fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap")
    )
    assert isinstance(codecs, list)
    assert isinstance(video, dict)
    assert isinstance(audio, dict)
    assert codecs == [*video, *audio]
    assert {*video.values(), *audio.values()} == {float(DECODE)}
    for four_cc in video:
        FlvReader().video(0, ex_tags.video(1, four_cc, b"\x00\x00\x00picture"))
    for four_cc in audio:
        FlvReader().audio(0, ex_tags.audio(1, four_cc, b"sound"))


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.floats(), st.text(max_size=20), st.just(UNDEFINED),
        st.builds(Date, st.floats()),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=20), inner, max_size=4),
        st.dictionaries(st.text(max_size=20), inner, max_size=4).map(EcmaArray),
    ),
)  # fmt: skip


@given(VALUES, VALUES, VALUES, VALUES)
def test_anything_may_be_said(codecs: Value, video: Value, audio: Value, caps: Value) -> None:
    read = read_capabilities(
        {
            "fourCcList": codecs,
            "videoFourCcInfoMap": video,
            "audioFourCcInfoMap": audio,
            "capsEx": caps,
        }
    )
    assert read.announced
    assert read.extended in CapsEx(15)
