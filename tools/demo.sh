#!/bin/bash
# Shows the swap: programs that were built for genuine RocksDB 7.8.3 run unchanged on Skarn, on the
# same input and on each other's database directories.
#
#   tools/demo.sh [INPUT]    INPUT: package records; default: this machine's own package index
#
# Installs what is missing (Debian 12), builds, runs, and ends with a table. Exit status 0 means that
# every output was the same and every check of Skarn's files passed.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup
echo "Building Skarn and the demo programs..."
log=$(mktemp)
{ cmake --preset release -DSKARN_BUILD_TESTS=OFF && cmake --build --preset release &&
  cmake --build --preset release --target demo_programs; } >"$log" 2>&1 || { cat "$log"; exit 1; }
rm -f "$log"

programs=$PWD/build/release/tools/demo
skarn_libraries=$PWD/build/release/lib
if [ ! -e "$skarn_libraries/librocksdb.so.7.8" ]; then
  echo "there is no $skarn_libraries/librocksdb.so.7.8" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/genuine" "$work/skarn" "$work/out"

input=$work/packages
if [ $# -ge 1 ]; then
  cp "$1" "$input"
else
  apt-cache dumpavail >"$input" 2>/dev/null || true
  # A machine that has never updated its index still knows what is installed.
  [ -s "$input" ] || cp /var/lib/dpkg/status "$input"
fi
echo "Input: $(grep -c '^Package:' "$input") package records, $(($(wc -c <"$input") / 1024)) KiB."
echo

# run LIBRARY NAME PROGRAM ARGUMENTS...: keeps the output as NAME.LIBRARY, prints seconds.
run() {
  local library=$1 name=$2 program=$3 begin end
  shift 3
  local -a environment=()
  [ "$library" = skarn ] && environment=("LD_LIBRARY_PATH=$skarn_libraries")
  begin=$(date +%s%N)
  env "${environment[@]}" "$programs/$program" "$@" >"$work/out/$name.$library" 2>"$work/out/$name.$library.log" ||
    echo "exit status $?" >>"$work/out/$name.$library"
  end=$(date +%s%N)
  seconds=$(awk "BEGIN { printf \"%.2f\", ($end - $begin) / 1e9 }")
}

failures=0
table=""
# compare TITLE NAME GENUINE_SECONDS SKARN_SECONDS
compare() {
  local verdict=identical
  if ! cmp -s "$work/out/$2.genuine" "$work/out/$2.skarn" ||
     grep -q '^exit status' "$work/out/$2.genuine"; then
    verdict=DIFFERENT
    failures=$((failures + 1))
    echo "--- $1: genuine (<) and Skarn (>)"
    diff "$work/out/$2.genuine" "$work/out/$2.skarn" | head -20 || true
    head -5 "$work/out/$2.skarn.log"
  fi
  table+=$(printf '%-58s %9s %9s  %s' "$1" "$3" "$4" "$verdict")$'\n'
}

# both TITLE NAME PROGRAM DIRECTORY ARGUMENTS...: each library on its own directory.
both() {
  local title=$1 name=$2 program=$3 directory=$4 genuine_seconds
  shift 4
  run genuine "$name" "$program" "$work/genuine/$directory" "$@"
  genuine_seconds=$seconds
  run skarn "$name" "$program" "$work/skarn/$directory" "$@"
  compare "$title" "$name" "$genuine_seconds" "$seconds"
}

# crossed: each library on the directory the other has left.
crossed() {
  local title=$1 name=$2 program=$3 directory=$4 genuine_seconds
  shift 4
  run genuine "$name" "$program" "$work/skarn/$directory" "$@"
  genuine_seconds=$seconds
  run skarn "$name" "$program" "$work/genuine/$directory" "$@"
  compare "$title" "$name" "$genuine_seconds" "$seconds"
}

echo "Which library a program gets:"
for library in genuine skarn; do
  path=""
  [ $library = skarn ] && path=$skarn_libraries
  LD_LIBRARY_PATH=$path ldd "$programs/pkg_index" | grep librocksdb | sed "s/^[[:space:]]*/  $library: /"
done
echo

both    "pkg_index: load"                            index_load    pkg_index    index load "$input"
both    "pkg_index: report"                          index_report  pkg_index    index report
both    "word_count: load (merge operator)"          words_load    word_count   words load "$input"
both    "crash_reopen: write, SIGKILL, reopen"       crash_run     crash_reopen crash run
crossed "pkg_index: report on the other's files"     index_cross   pkg_index    index report
crossed "pkg_index: update on the other's files"     index_update  pkg_index    index update
both    "pkg_index: report on what the other updated" index_back   pkg_index    index report
crossed "word_count: report on the other's files"    words_cross   word_count   words report
crossed "word_count: count again on the other's"     words_again   word_count   words load "$input"
both    "word_count: report on what the other counted" words_back  word_count   words report
crossed "crash_reopen: verify the other's files"     crash_cross   crash_reopen crash verify

# tool TITLE COMMAND...: a genuine tool on Skarn's files; its output is kept.
tool() {
  local title=$1 verdict=passes
  shift
  if ! "$@" >"$work/out/tool" 2>&1 </dev/null || grep -qiE 'corrupt|fail|mismatch|is not a valid|error' "$work/out/tool"; then
    verdict=FAILS
    failures=$((failures + 1))
    echo "--- $title"
    head -20 "$work/out/tool"
  fi
  table+=$(printf '%-58s %9s %9s  %s' "$title" - - "$verdict")$'\n'
}

# What Skarn alone wrote, fresh, for the tools.
run skarn fresh_index pkg_index "$work/skarn/fresh_index" load "$input"
run skarn fresh_words word_count "$work/skarn/fresh_words" load "$input"
tool "sst_dump --command=check on Skarn's pkg_index"  sst_dump "--file=$work/skarn/fresh_index" --command=check --verify_checksum
tool "sst_dump --command=verify on Skarn's word_count" sst_dump "--file=$work/skarn/fresh_words" --command=verify
tool "sst_dump --show_properties on Skarn's word_count" sst_dump "--file=$work/skarn/fresh_words" --show_properties --command=none
tool "ldb checkconsistency on Skarn's pkg_index"      ldb "--db=$work/skarn/fresh_index" checkconsistency
for family in default by_section by_maintainer dependents; do
  tool "ldb scan of Skarn's $family" ldb "--db=$work/skarn/fresh_index" "--column_family=$family" scan --hex --max_keys=1000000
done
# Genuine ldb on both: the same keys and values in the same order.
run genuine fresh_index pkg_index "$work/genuine/fresh_index" load "$input"
for library in genuine skarn; do
  for family in default by_section by_maintainer dependents; do
    ldb "--db=$work/$library/fresh_index" "--column_family=$family" scan --hex 2>&1 </dev/null
  done | grep '^0x' | sha256sum >"$work/out/ldb_scan.$library"
done
compare "ldb scan of both, all families" ldb_scan - -

echo
printf '%-58s %9s %9s  %s\n' "" "genuine s" "Skarn s" "output"
printf '%s' "$table"
echo
if [ $failures = 0 ]; then
  echo "All outputs are identical and all checks pass."
else
  echo "$failures differences."
  exit 1
fi
