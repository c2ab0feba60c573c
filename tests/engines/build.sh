#!/bin/sh
# Builds a Rust engine of the registry as a shared library with the C functions that the bench calls,
# as far as the engine has something like them. Prints the library's path.
#
#   tests/engines/build.sh fjall|mmdb|lsm_storage_engine
#
# ENGINES_CACHE names another folder than build/engines.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case ${1:-} in
  fjall | mmdb | lsm_storage_engine) ;;
  *) echo "usage: build.sh fjall|mmdb|lsm_storage_engine" >&2; exit 2 ;;
esac
cache=${ENGINES_CACHE:-$here/../../build/engines}
library=$cache/$1.so
if [ ! -f "$library" ]; then
  mkdir -p "$cache"
  CARGO_TARGET_DIR=$cache/target-$1 cargo build --release --manifest-path "$here/Cargo.toml" \
    --features "$1" >&2
  cp "$cache/target-$1/release/libengines.so" "$library.tmp"
  mv "$library.tmp" "$library"
fi
echo "$library"
