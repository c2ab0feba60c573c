#!/bin/sh
# check_symbols.sh <compiler> <include dir> <library>: whether the ledger (symbols.txt), the
# headers and the library name the same functions, and the programs here call them all.
# `check_symbols.sh --rewrite <compiler> <include dir>` writes the ledger from the headers.
# Paths must be absolute.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C

declared() {
  (cd "$2" && printf '#include "%s"\n' rocksdb/c.h skarn/*.h) |
    "$1" -std=c99 -E -P -I"$2" -x c - | tr '\n' ' ' |
    grep -oE '\<(rocksdb|skarn)_[A-Za-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}

if [ "$1" = --rewrite ]; then
  declared "$2" "$3" > symbols.txt
  exit 0
fi

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
status=0
differ() {
  if ! diff "$1" "$2" > "$work/diff"; then
    echo "$3 (< ledger, > $4):"
    cat "$work/diff"
    status=1
  fi
}

sort -u symbols.txt > "$work/ledger"
declared "$1" "$2" > "$work/declared"
# The libraries with RocksDB's names call a few functions that no program sees.
nm -D --defined-only "$3" | awk '{print $3}' | sort -u |
  comm -23 - symbols_of_fronts.txt > "$work/exported"
# A setter and a getter that a macro calls are named by the macro's arguments.
{
  grep -ohE '\<(rocksdb|skarn)_[A-Za-z0-9_]+' ./*.c
  sed -nE 's/^ *(PAIR|FLAG)\((rocksdb_[a-z_]*_), object, ([A-Za-z0-9_]+).*/\2set_\3 \2get_\3/p' \
    ./*.c | tr ' ' '\n'
} | sort -u > "$work/named"
comm -23 "$work/ledger" "$work/named" > "$work/uncalled"

differ "$work/ledger" "$work/declared" "the ledger and the headers differ" headers
differ "$work/ledger" "$work/exported" "the ledger and the library differ" library
if [ -s "$work/uncalled" ]; then
  echo "no program of tests/abi calls:"
  cat "$work/uncalled"
  status=1
fi
exit $status
