"""Offers as WHIP clients make them, written after what each sends. Addresses are made up."""

from __future__ import annotations

FINGERPRINT = ":".join(f"{(n * 37 + 11) % 256:02X}" for n in range(32))

OBS_30 = f"""v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=setup:actpass
a=ice-ufrag:dCab
a=ice-pwd:Ejbqr3GhQ0aSxnPzEWqkxA
a=ice-options:ice2,trickle
a=fingerprint:sha-256 {FINGERPRINT}
m=audio 52010 UDP/TLS/RTP/SAVPF 111
c=IN IP4 192.0.2.10
a=mid:0
a=sendonly
a=ssrc:2615618343 cname:kQfXqS5tQ2
a=ssrc:2615618343 msid:5OBS-stream 5OBS-stream-audio
a=msid:5OBS-stream 5OBS-stream-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1
a=candidate:1 1 UDP 2122317823 192.0.2.10 52010 typ host
a=candidate:2 1 UDP 2122317567 2001:db8::10 52010 typ host
a=end-of-candidates
m=video 52010 UDP/TLS/RTP/SAVPF 96
c=IN IP4 192.0.2.10
a=mid:1
a=sendonly
a=ssrc:2615618344 cname:kQfXqS5tQ2
a=ssrc:2615618344 msid:5OBS-stream 5OBS-stream-video
a=msid:5OBS-stream 5OBS-stream-video
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
a=candidate:1 1 UDP 2122317823 192.0.2.10 52010 typ host
a=candidate:2 1 UDP 2122317567 2001:db8::10 52010 typ host
a=end-of-candidates
"""
"""OBS 30 (libdatachannel): all candidates at once, transport attributes for the whole session."""

GSTREAMER = f"""v=0
o=- 3817204910482190283 0 IN IP4 0.0.0.0
s=-
t=0 0
a=ice-options:trickle
a=group:BUNDLE video0 audio1
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=setup:actpass
a=ice-ufrag:6G5DJKsFQ7jxp3mqyYc8zvlPjdwsgkkZ
a=ice-pwd:IQWSXhNeKrT5i1Ttbk6ckZVz7KGGTbVn
a=rtcp-mux
a=rtcp-rsize
a=sendonly
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=rtcp-fb:96 transport-cc
a=fmtp:96 packetization-mode=1;profile-level-id=64001f;sprop-parameter-sets=Z2QAH6zZ,aOvjyyLA
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 3054011520 1186170014
a=ssrc:3054011520 msid:user3054011520@host webrtctransceiver0
a=ssrc:3054011520 cname:user3054011520@host
a=mid:video0
a=fingerprint:sha-256 {FINGERPRINT}
m=audio 0 UDP/TLS/RTP/SAVPF 98
c=IN IP4 0.0.0.0
a=bundle-only
a=rtcp-mux
a=sendonly
a=rtpmap:98 OPUS/48000/2
a=fmtp:98 sprop-stereo=1;sprop-maxcapturerate=48000
a=mid:audio1
"""
"""GStreamer's whipclientsink: high profile, tracks bundled from the start, candidates later."""

CHROME = f"""v=0
o=- 5228595038118931041 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
a=msid-semantic: WMS
m=audio 51000 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 192.0.2.20
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:3859917557 1 udp 2122260223 192.0.2.20 51000 typ host generation 0 network-id 1
a=candidate:1234567890 1 udp 2122194687 0c1f2e3d-aaaa-4bbb-8ccc-1234567890ab.local 51001 typ host
a=candidate:3471623853 1 tcp 1518280447 192.0.2.20 9 typ host tcptype active generation 0
a=ice-ufrag:sXJ3
a=ice-pwd:yEclOTrLg1gEubBFefOqtmyV
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=msid:- 6a8dd9fb-0ae9-4c6e-9b4c-9c71f3f2a2f0
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
m=video 51002 UDP/TLS/RTP/SAVPF 39 40 96 97 45 46
c=IN IP4 192.0.2.20
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:sXJ3
a=ice-pwd:yEclOTrLg1gEubBFefOqtmyV
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
a=mid:1
a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:13 urn:3gpp:video-orientation
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=sendonly
a=msid:- 2d2e8e5c-1f0b-4a64-9a6e-6d2b3c0d0b55
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:39 H264/90000
a=rtcp-fb:39 goog-remb
a=rtcp-fb:39 transport-cc
a=rtcp-fb:39 ccm fir
a=rtcp-fb:39 nack
a=rtcp-fb:39 nack pli
a=fmtp:39 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=4d001f
a=rtpmap:40 rtx/90000
a=fmtp:40 apt=39
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:46 rtx/90000
a=fmtp:46 apt=45
a=ssrc-group:FID 2231627014 632943048
a=ssrc:2231627014 cname:s1hvVAUTtWvEqgBd
a=ssrc:632943048 cname:s1hvVAUTtWvEqgBd
"""
"""Chrome: main profile in mode 0 under a payload type below 64, hidden and TCP addresses."""

ALL = {"obs-30": OBS_30, "gstreamer": GSTREAMER, "chrome": CHROME}


def written(offer: str) -> str:
    """Write an offer with SDP's line ends."""
    return offer.replace("\n", "\r\n")
