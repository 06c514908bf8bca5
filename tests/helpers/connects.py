"""`connect` as encoders send it: the command object by encoder and version.

Written down from the encoders' own sources and, for libavformat, heard on the wire; an object
is what an AMF0 reader makes of the bytes.
"""

from __future__ import annotations

from ingest.rtmp.amf0 import EcmaArray, Value

URL = "rtmp://127.0.0.1/live"
FMLE = "FMLE/3.0 (compatible; FMSc/1.0)"

OBS_30: dict[str, Value] = {
    "app": "live",
    "type": "nonprivate",
    "flashVer": FMLE,
    "swfUrl": URL,
    "tcUrl": URL,
}
"""OBS Studio 30 (its librtmp): HEVC and AV1 are sent by FourCC, but nothing is announced."""
LAVF_59: dict[str, Value] = {
    "app": "live",
    "type": "nonprivate",
    "flashVer": "FMLE/3.0 (compatible; Lavf59.27.100)",
    "tcUrl": URL,
}
"""FFmpeg 5.1."""
LAVF_62_ENHANCED: dict[str, Value] = {
    **LAVF_59,
    "flashVer": "FMLE/3.0 (compatible; Lavf62.12.102)",
    "fourCcList": ["hvc1", "av01", "vp09"],
}
"""FFmpeg 6.1 and later with `-rtmp_enhanced_codecs hvc1,av01,vp09`."""
HAISHINKIT: dict[str, Value] = {
    "tcUrl": URL,
    "flashVer": FMLE,
    "swfUrl": None,
    "app": "live",
    "fpad": False,
    "audioCodecs": 1024.0,
    "videoCodecs": 128.0,
    "videoFunction": 1.0,
    "capabilities": 239.0,
    "fourCcList": ["av01", "vp09", "hvc1"],
    "pageUrl": None,
    "objectEncoding": 0.0,
}
"""HaishinKit, the library of many phone apps."""
EXAMPLE_V2: dict[str, Value] = {
    **OBS_30,
    "fourCcList": ["*"],
    "videoFourCcInfoMap": {"*": 4.0, "vp09": 3.0},
    "audioFourCcInfoMap": {"*": 4.0, "Opus": 3.0},
    "capsEx": 15.0,
}
"""The examples of the Enhanced RTMP v2 document, together."""
EXAMPLE_V2_ECMA: dict[str, Value] = EcmaArray(
    {
        **OBS_30,
        "fourCcList": EcmaArray({"0": "*"}),
        "videoFourCcInfoMap": EcmaArray({"*": 4.0, "vp09": 3.0}),
        "audioFourCcInfoMap": EcmaArray({"*": 4.0, "Opus": 3.0}),
        "capsEx": 15.0,
    }
)
"""The same from a client that writes ECMA arrays where objects are meant."""
SILENT = {"obs-30": OBS_30, "lavf-59": LAVF_59}
ENHANCED = {
    "lavf-62": LAVF_62_ENHANCED,
    "haishinkit": HAISHINKIT,
    "example-v2": EXAMPLE_V2,
    "example-v2-ecma": EXAMPLE_V2_ECMA,
}
