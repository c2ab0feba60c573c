#!/bin/bash
# Installs into a prefix of its own and uses what is there in every way the README names: pkg-config,
# pkg-config --static, a CMake project, -lrocksdb, and each soname. Usage: packaging.sh BUILD_DIR
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

# The build knows its own prefix; --prefix must do.
cmake --install "$build" --prefix "$prefix" >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
lib=$(dirname "$(find "$prefix" -name 'libskarn.so.1' | head -1)")
export PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
cp "$here/program.c" "$work/"
cp "$here/project.cmake.in" "$work/CMakeLists.txt"

failed=0
try() {
  local what=$1
  shift
  if "$@" >"$work/log" 2>&1 && rm -rf "$work/db" && "$work/program" "$work/db" >>"$work/log" 2>&1; then
    echo "ok      $what"
  else
    echo "FAILED  $what"
    cat "$work/log"
    failed=1
  fi
  rm -f "$work/program"
}

# Word splitting of what pkg-config prints is what is wanted.
# shellcheck disable=SC2046
try "pkg-config" cc "$work/program.c" -o "$work/program" \
  $(pkg-config --define-variable=prefix="$prefix" --cflags --libs rocksdb)
# shellcheck disable=SC2046
try "pkg-config --static" c++ -x c "$work/program.c" -x none -o "$work/program" -Wl,-Bstatic -L"$lib" -lrocksdb \
  -Wl,-Bdynamic $(pkg-config --define-variable=prefix="$prefix" --static --cflags --libs rocksdb)
try "-lrocksdb" cc -I"$prefix/include" "$work/program.c" -o "$work/program" -L"$lib" -lrocksdb
for name in $(cd "$lib" && ls librocksdb.so.* | sort -V); do
  try "$name" cc -I"$prefix/include" "$work/program.c" -o "$work/program" -L"$lib" "-l:$name" -lskarn
done
for kind in static shared; do
  project() {
    cmake -S "$work" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" &&
      cmake --build "$work/cmake" --target "with_$kind" && cp "$work/cmake/with_$kind" "$work/program"
  }
  try "CMake, $kind" project
done
exit $failed
