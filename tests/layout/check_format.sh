#!/bin/sh
# Whether clang-format 14 would leave every file as it is. Usage: check_format.sh SOURCE_DIR FORMATTER
set -eu
cd "$1"
status=0
count=0
for file in $(git ls-files 'core/*.h' 'core/*.cc' 'compat/*.h' 'compat/*.cc' 'tests/*.h' 'tests/*.cc' 'tools/*.h' 'tools/*.cc'); do
  count=$((count + 1))
  "$2" --style=file "$file" | cmp -s - "$file" || { echo "not formatted: $file"; status=1; }
done
[ $status = 0 ] && echo "$count files are formatted"
exit $status
