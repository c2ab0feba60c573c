#!/bin/sh
# Builds everything and runs the tests. Its last line is CTest's summary, its exit status CTest's.
# What the tests that break things have counted is printed before it.
#
#   tools/test.sh                   the tests for every day
#   tools/test.sh --preset NAME     the same in another preset: debug, asan, tsan; clang: checks the
#                                   lock rules and only builds
#   tools/test.sh --all             the slow tests as well, the test suites of the bindings, the
#                                   fuzzers, and the presets clang, asan and tsan
set -eu
cd "$(dirname "$0")/.."

usage() { echo "usage: test.sh [--all | --preset debug|asan|tsan|clang]" >&2; exit 2; }
all=no
preset=release
while [ $# -gt 0 ]; do
  case $1 in
    --all) all=yes ;;
    --preset)
      [ $# -gt 1 ] || usage
      preset=$2
      shift
      ;;
    *) usage ;;
  esac
  shift
done
case $preset in release | debug | asan | tsan | clang) ;; *) usage ;; esac

setup="--tests"
[ $all = no ] && [ "$preset" != clang ] || setup="$setup --fuzz"  # Brings clang.
if [ $all = yes ] && { command -v cargo >/dev/null || command -v go >/dev/null; }; then
  setup="$setup --bindings"
fi
# shellcheck disable=SC2086
tools/setup $setup

# build PRESET
build() {
  log=$(mktemp)
  tests=ON
  [ "$1" != clang ] || tests=OFF
  cmake --preset "$1" -DSKARN_BUILD_TESTS=$tests >"$log" 2>&1 || { cat "$log"; rm -f "$log"; return 1; }
  rm -f "$log"
  cmake --build --preset "$1"
}

# The last line of every test that counted something and what it found.
counts() {
  awk '/^[0-9]+\/[0-9]+ Testing: / { name = $3; last = "" }
       /^<end of output>/ && last ~ /violation|differ|agree/ { print name ": " last }
       NF { last = $0 }' "build/$1/Testing/Temporary/LastTest.log"
}

# run PRESET CTEST_ARGUMENT...
run() {
  tested=$1
  shift
  summary=$(mktemp)
  outcome=0
  ctest --test-dir "build/$tested" --output-on-failure --parallel "$(nproc)" "$@" \
    >"$summary" 2>&1 || outcome=$?
  cat "$summary"
  counts "$tested"
  # CTest's summary is to be the last line.
  grep -E '^[0-9]+% tests passed' "$summary" || true
  ! grep -qE '^No tests were found' "$summary" || outcome=1
  rm -f "$summary"
  return $outcome
}

status=0
if [ $all = yes ]; then
  # Before the tests of the release build, whose summary is to be the last line.
  tools/fuzz.sh || status=1
  build clang || status=1
  for checked in asan tsan; do
    if build $checked; then
      run $checked --label-exclude slow || status=1
    else
      status=1
    fi
  done
fi

# The binding suites and long runs carry the label "slow".
set --
[ $all = yes ] || set -- --label-exclude slow
build "$preset"
[ "$preset" != clang ] || exit 0
run "$preset" "$@" || status=$?
exit $status
