#!/bin/sh
# Builds everything and runs the tests. Its last line is CTest's summary, its exit status CTest's.
#
#   tools/test.sh          the tests for every day
#   tools/test.sh --all    the slow ones as well, the test suites of the bindings, and the fuzzers
set -eu
cd "$(dirname "$0")/.."

all=no
for argument; do
  case $argument in
    --all) all=yes ;;
    *) echo "usage: test.sh [--all]" >&2; exit 2 ;;
  esac
done

[ $all = no ] || tools/setup --fuzz
if [ $all = yes ] && { command -v cargo >/dev/null || command -v go >/dev/null; }; then
  tools/setup --tests --bindings
else
  tools/setup --tests
fi

cmake --preset release -DSKARN_BUILD_TESTS=ON >build-configure.log 2>&1 ||
  { cat build-configure.log; rm -f build-configure.log; exit 1; }
rm -f build-configure.log
cmake --build --preset release

# Before the tests, whose summary is to be the last line.
fuzz_status=0
[ $all = no ] || tools/fuzz.sh || fuzz_status=$?

# The binding suites and long runs carry the label "slow".
set -- --test-dir build/release --output-on-failure --parallel "$(nproc)"
[ $all = yes ] || set -- "$@" --label-exclude slow
summary=$(mktemp)
status=0
ctest "$@" >"$summary" 2>&1 || status=$?
cat "$summary"
# CTest's summary is not its last line when tests fail.
[ $status = 0 ] || grep -E '^[0-9]+% tests passed' "$summary"
grep -qE '^No tests were found' "$summary" && status=1
rm -f "$summary"
[ $status != 0 ] || status=$fuzz_status
exit $status
