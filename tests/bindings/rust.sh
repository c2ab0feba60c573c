#!/bin/bash
# Builds the `rocksdb` crate, unmodified from its registry, against Skarn and runs its own tests.
#
#   rust.sh BUILD_DIR [VERSION]
#
# Each test runs in a process of its own, so one that crashes costs one. The counts go to
# BUILD_DIR/bindings/rust.txt and the last line; the exit status tells only whether they could be made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
version=${2:-0.25.0}
work=$build/bindings/rust
command -v cargo >/dev/null || { echo "no cargo: skipped"; exit 77; }
mkdir -p "$work"

# The crate as published, copied out of the registry's cache.
mkdir -p "$work/fetch/src"
: >"$work/fetch/src/lib.rs"
printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nrocksdb = "=%s"\n' \
  "$version" >"$work/fetch/Cargo.toml"
(cd "$work/fetch" && cargo fetch -q)
manifest() {
  (cd "$work/fetch" && cargo metadata --format-version 1 -q) |
    python3 -c "import json,sys; print([p['manifest_path'] for p in json.load(sys.stdin)['packages'] if p['name'] == '$1'][0])"
}
crate=$(dirname "$(manifest rocksdb)")
reference=$(dirname "$(manifest librocksdb-sys)")/rocksdb/include/rocksdb/c.h
rm -rf "$work/crate"
cp -r "$crate" "$work/crate"
chmod -R u+w "$work/crate"

python3 "$here/complete.py" "$reference" "$root/include/c_api" "$build/lib/libskarn.so.1" "$work/complete"
cc -O1 -fPIC -c -I"$work/complete/include" "$work/complete/missing.c" -o "$work/complete/missing.o"
rm -f "$work/complete/libmissing.a"
ar rcs "$work/complete/libmissing.a" "$work/complete/missing.o"

# The codecs come from the system: Skarn is linked with them already.
libraries=$(dirname "$(cc -print-file-name=libzstd.so)")
export ROCKSDB_LIB_DIR=$build/lib ROCKSDB_INCLUDE_DIR=$work/complete/include
export SNAPPY_LIB_DIR=$libraries
export LD_LIBRARY_PATH=$build/lib
export RUSTFLAGS="-Clink-arg=$work/complete/libmissing.a"
export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-stable} # Whatever is there, not the crate's own choice.
export CARGO_TARGET_DIR=$work/target CARGO_TERM_COLOR=never

cd "$work/crate"
cargo test --no-run --message-format=json 2>"$work/build.log" >"$work/build.json" ||
  { tail -40 "$work/build.log"; grep -o '"rendered":"[^"]*' "$work/build.json" | head -5; exit 1; }
python3 - "$work/build.json" >"$work/programs" <<'P'
import json, sys
for line in open(sys.argv[1]):
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message.get("executable") and message["profile"]["test"]:
        print(message["target"]["name"], message["executable"])
P

passed=0 failed=0
: >"$work/failures"
while read -r name program; do
  for test in $("$program" --list --format terse 2>/dev/null | sed -n 's/: test$//p'); do
    if timeout 120 "$program" --exact "$test" --test-threads 1 >"$work/test.log" 2>&1 </dev/null; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "$name $test: $(grep -m1 -E 'panicked|Not implemented|signal|Error' "$work/test.log" -A1 | tr '\n' ' ' | cut -c1-300)" >>"$work/failures"
    fi
  done
done <"$work/programs"

{
  echo "rocksdb crate $version: $passed of $((passed + failed)) tests pass"
  echo
  cat "$work/failures"
} >"$build/bindings/rust.txt"
cat "$build/bindings/rust.txt"
head -1 "$build/bindings/rust.txt"
