#!/bin/sh
# Builds RocksDB 11.8.1 from the registry's librocksdb-sys and links it into a shared library that
# exports the C functions. Prints the library's path; what is there already is not built again.
#
#   tests/peer/build.sh [TARGET-CPU]
#
# TARGET-CPU, for instance x86-64-v3, is passed to the compilers; without it the package's defaults
# hold. PEER_CACHE names another folder than build/peer. Needs cargo, a C++ compiler and libclang.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cpu=${1:-default}
cache=${PEER_CACHE:-$here/../../build/peer}
library=$cache/$cpu/librocksdb-11.8.1.so
mkdir -p "$cache/$cpu"
if [ ! -f "$library" ]; then
  flags=""
  [ "$cpu" = default ] || flags="-Ctarget-cpu=$cpu"
  target=$cache/$cpu/target
  RUSTFLAGS="${RUSTFLAGS:-} $flags" CARGO_TARGET_DIR="$target" \
    cargo build --release --manifest-path "$here/Cargo.toml" >&2
  find_archive() {
    find "$target/release/build" -name "$1" -path '*/out/*' | head -n 1
  }
  # The codecs inside, as a Rust program has them, but zlib and bzip2, which are the system's.
  "${CXX:-g++}" -shared -O3 -o "$library.tmp" \
    -Wl,--whole-archive "$(find_archive librocksdb.a)" -Wl,--no-whole-archive \
    "$(find_archive libsnappy.a)" "$(find_archive liblz4.a)" "$(find_archive libzstd.a)" \
    -lz -lbz2 -lpthread -ldl \
    -Wl,-Bsymbolic -Wl,-soname,librocksdb-11.8.1.so -Wl,-z,defs \
    -Wl,--exclude-libs,libsnappy.a:liblz4.a:libzstd.a >&2
  mv "$library.tmp" "$library"
fi
echo "$library"
