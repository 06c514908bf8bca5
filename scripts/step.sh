#!/bin/sh
# Run one set-up step: `step.sh LABEL COMMAND [ARGUMENT...]`.
# Prints the label and the seconds it took; when it fails, the end of its output.
set -eu
label=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
began=$(date +%s)
printf '  %-44s' "$label"
if "$@" >"$log" 2>&1; then
    printf '%4d s\n' $(($(date +%s) - began))
else
    status=$?
    printf 'failed\n\n' 
    tail -n 40 "$log"
    exit "$status"
fi
