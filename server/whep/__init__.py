"""The publisher's own picture, as it is, by WebRTC: the studio's preview."""
