#!/bin/sh
# See that the foreign programs of a purpose are there: `programs.sh test|bench`.
# What is missing is installed by apt when root; else named, with the command to run.
set -eu

program() { command -v "$1" >/dev/null 2>&1; }
file() { [ -f "$1" ]; }
element() { program gst-inspect-1.0 && gst-inspect-1.0 --exists "$1"; }

# kind, name, Debian package
table() {
    case $1 in
    test)
        cat <<END
program ffmpeg ffmpeg
program ffprobe ffmpeg
program redis-server redis-server
program chromium chromium
program nginx nginx-light
program caddy caddy
program curl curl
program gst-launch-1.0 gstreamer1.0-tools
element videotestsrc gstreamer1.0-plugins-base
element playbin3 gstreamer1.0-plugins-base
element flvmux gstreamer1.0-plugins-good
element hlsdemux2 gstreamer1.0-plugins-good
element rtmp2sink gstreamer1.0-plugins-bad
element checksumsink gstreamer1.0-plugins-bad
element x264enc gstreamer1.0-plugins-ugly
element avenc_aac gstreamer1.0-libav
END
        ;;
    bench)
        cat <<END
program ffmpeg ffmpeg
program chromium chromium
program nginx nginx-light
file /usr/lib/nginx/modules/ngx_rtmp_module.so libnginx-mod-rtmp
program wrk wrk
END
        ;;
    *)
        echo "programs.sh: no such purpose: $1" >&2
        exit 2
        ;;
    esac
}

# One line per missing thing: kind, name, package.
missing() {
    table "$1" | while read -r kind name package; do
        "$kind" "$name" || echo "$kind $name $package"
    done
}

report() {
    echo "These are needed and missing:"
    echo "$lacking" | while read -r kind name package; do
        echo "  $kind $name (Debian package $package)"
    done
}

lacking=$(missing "$1")
[ -n "$lacking" ] || exit 0
packages=$(echo "$lacking" | awk '{ print $3 }' | sort -u | tr '\n' ' ')
if [ "$(id -u)" -ne 0 ] || ! program apt-get; then
    report
    echo "Install them and run make again:"
    echo "  sudo apt-get install --no-install-recommends $packages"
    exit 1
fi
# shellcheck disable=SC2086 # one word per package
"$(dirname "$0")/apt.sh" $packages
lacking=$(missing "$1")
[ -z "$lacking" ] || {
    report
    exit 1
}
