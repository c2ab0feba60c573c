#!/usr/bin/env python3
"""Lists files that have grown long, longest first. It asks whether two ideas live there; it refuses
nothing. Usage: report_long.py SOURCE_DIR"""

import pathlib
import sys

root = pathlib.Path(sys.argv[1])
long = []
for folder in ("core", "compat", "include", "tools", "tests"):
    for path in (root / folder).rglob("*"):
        if path.suffix in (".h", ".cc", ".c"):
            lines = path.read_text(errors="replace").count("\n")
            if lines > 600:
                long.append((lines, str(path.relative_to(root))))
for lines, name in sorted(long, reverse=True):
    print(f"{lines:6} {name}")
print(f"{len(long)} files are longer than 600 lines")
