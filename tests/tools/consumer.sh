#!/usr/bin/env bash
# usage: consumer.sh BUILD_FOLDER CONSUMER_FOLDER
# Installs the build into an empty prefix, builds the consumer against it alone, and runs it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$1" --prefix "$work/prefix" >"$work/install.log"
if grep -rIl "$(cd "$1" && pwd)" "$work/prefix/lib" "$work/prefix/include"; then
    echo "the files above point into the build folder: an installed package must stand alone"
    exit 1
fi
cmake -S "$2" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$work/prefix" >"$work/configure.log" 2>&1 ||
    { cat "$work/configure.log"; exit 1; }
cmake --build "$work/build"
FARM_BIN_DIR=$work/prefix/bin "$work/build/consumer" "$2/models"
for program in farm farm-broker farm-worker; do
    "$work/prefix/bin/$program" --version
done
