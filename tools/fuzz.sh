#!/bin/sh
# Runs every fuzz target under libFuzzer with ASan and UBSan, beginning with its corpus in
# tests/data/fuzz. New inputs stay in build/fuzz/corpus; what ends a target is left in
# build/fuzz/found and named. Exits 1 when something was found.
#
#   tools/fuzz.sh [SECONDS] [TARGET...]     60 seconds each, all targets
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -eq 0 ] || shift

cmake --preset fuzz >/dev/null
[ $# -gt 0 ] || set -- $(cd tests/fuzz && ls *_fuzz.cc | sed 's/\.cc$//')
for target; do
  shift
  set -- "$@" "${target%_fuzz}_fuzz"  # Named with or without the ending.
done
cmake --build --preset fuzz --target "$@"

status=0
mkdir -p build/fuzz/found
for target; do
  corpus=build/fuzz/corpus/$target
  mkdir -p "$corpus"
  log=build/fuzz/$target.log
  if build/fuzz/tests/fuzz/"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -max_len=8192 -print_final_stats=1 -artifact_prefix=build/fuzz/found/"$target"- \
    "$corpus" "tests/data/fuzz/${target%_fuzz}" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$target: ${runs:-0} inputs in $seconds seconds, nothing found"
  else
    status=1
    echo "$target: FOUND SOMETHING, see $log"
    tail -n 30 "$log"
  fi
done
exit $status
