#!/bin/sh
# Install Debian packages unattended: `apt.sh PACKAGE...`. Only for root.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends "$@"
