#!/usr/bin/env bash
# usage: verify_units.sh FOLDER_OF_UNITS BINDIR_IN_THEM
# systemd's own check of the unit files; their programs are stood in for, since it looks for them.
set -euo pipefail
if ! command -v systemd-analyze >/dev/null; then
    echo "skipped: there is no systemd-analyze on this machine"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in farm-broker farm-worker; do
    printf '#!/bin/sh\n' >"$work/$program"
    chmod +x "$work/$program"
done
for unit in "$1"/*.service; do
    sed "s|$2/|$work/|" "$unit" >"$work/$(basename "$unit")"
done
mv "$work/farm-worker@.service" "$work/farm-worker@gpu0.service"

# Units of the machine itself may have faults too: only ours count, and every line about them.
status=0
systemd-analyze verify --recursive-errors=no --man=no "$work"/*.service >"$work/said" 2>&1 || status=$?
if [ "$status" -ne 0 ] || grep -q 'farm-' "$work/said"; then
    cat "$work/said"
    exit 1
fi
# The check can fail: a directive that does not exist must be noticed.
sed -i 's/^WatchdogSec=/WatchdogSeconds=/' "$work/farm-broker.service"
systemd-analyze verify --recursive-errors=no --man=no "$work/farm-broker.service" \
    >"$work/said" 2>&1 || true
if ! grep -q WatchdogSeconds "$work/said"; then
    echo "systemd-analyze accepted a unit with a directive that does not exist"
    exit 1
fi
