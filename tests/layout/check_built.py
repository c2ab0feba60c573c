#!/usr/bin/env python3
"""Whether every source and test file is compiled by this build.

Usage: check_built.py SOURCE_DIR COMPILE_COMMANDS_JSON
"""

import json
import pathlib
import sys

root = pathlib.Path(sys.argv[1]).resolve()
built = set()
for entry in json.load(open(sys.argv[2])):
    path = pathlib.Path(entry["directory"], entry["file"]).resolve()
    built.add(path)

missing = []
count = 0
for folder in ("core", "compat", "tools", "tests"):
    for path in sorted((root / folder).rglob("*")):
        if path.suffix not in (".c", ".cc"):
            continue
        # The bindings' suites and the package users are built by scripts of their own.
        if "bindings" in path.parts or "packaging" in path.parts:
            continue
        count += 1
        if path not in built:
            missing.append(str(path.relative_to(root)))

print("not built:\n" + "\n".join(missing) if missing else f"{count} files are built")
sys.exit(1 if missing else 0)
