#!/bin/sh
# Whether the stripped library stays below a size. Usage: check_size.sh STRIP LIBRARY BYTES_MAX
set -eu
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
"$1" -o "$stripped" "$2"
size=$(wc -c <"$stripped")
echo "$size bytes stripped, $3 allowed"
[ "$size" -lt "$3" ]
