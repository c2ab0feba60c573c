#!/bin/bash
# Builds grocksdb, unmodified from the Go proxy, against Skarn and runs its own tests.
#
#   go.sh BUILD_DIR [VERSION]
#
# Each test runs in a process of its own, so one that crashes costs one. The counts go to
# BUILD_DIR/bindings/go.txt and the last line; the exit status tells only whether they could be made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
version=${2:-1.10.7}
work=$build/bindings/go
command -v go >/dev/null || { echo "no go: skipped"; exit 77; }
mkdir -p "$work"

export GOFLAGS=-mod=mod
module=$(cd "$work" && go mod download -json "github.com/linxGnu/grocksdb@v$version" |
  python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])')
rm -rf "$work/module"
cp -r "$module" "$work/module"
chmod -R u+w "$work/module"

python3 "$here/complete.py" "$work/module/c.h" "$root/include/c_api" "$build/lib/libskarn.so.1" "$work/complete"
cc -O1 -fPIC -c -I"$work/complete/include" "$work/complete/missing.c" -o "$work/complete/missing.o"
rm -f "$work/complete/libmissing.a"
ar rcs "$work/complete/libmissing.a" "$work/complete/missing.o"

# It is written for release 10.9, so it gets that release's prototypes and front.
mkdir -p "$work/lib"
ln -sf "$build/lib/librocksdb.so.10.10" "$work/lib/librocksdb.so"
export CGO_CFLAGS="-I$work/complete/include -DSKARN_ROCKSDB_RELEASE=1009"
export CGO_LDFLAGS="-L$work/lib -L$build/lib -lrocksdb -lskarn $work/complete/libmissing.a"
export LD_LIBRARY_PATH=$build/lib
cd "$work/module"
go test -c -o "$work/tests" . >"$work/build.log" 2>&1 || { tail -40 "$work/build.log"; exit 1; }

passed=0 failed=0
: >"$work/failures"
for test in $("$work/tests" -test.list '.*' | grep '^Test'); do
  if timeout 120 "$work/tests" -test.run "^$test\$" >"$work/test.log" 2>&1 </dev/null; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$test: $(grep -m3 -E 'Error:|expected|actual|Not implemented|SIG|panic' "$work/test.log" | tr -s ' \t\n' ' ' | cut -c1-300)" >>"$work/failures"
  fi
done

{
  echo "grocksdb $version: $passed of $((passed + failed)) tests pass"
  echo
  cat "$work/failures"
} >"$build/bindings/go.txt"
cat "$build/bindings/go.txt"
head -1 "$build/bindings/go.txt"
