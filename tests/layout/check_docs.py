#!/usr/bin/env python3
"""Whether every file that code or documents name below docs/, tests/ and tools/ exists.

Usage: check_docs.py SOURCE_DIR
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
pattern = re.compile(r"(?<![\w./-])((?:docs|tests|tools)/[\w./-]*\w\.(?:md|sh|py|txt|cc|c|h)\b)")
faults = []
count = 0
for path in sorted(root.rglob("*")):
    relative = path.relative_to(root)
    if relative.parts[0].startswith(("build", ".git", ".cache")) or not path.is_file():
        continue
    if path.suffix not in (".h", ".cc", ".c", ".md", ".txt", ".py", ".sh", ".cmake", ".def", ".inc"):
        continue
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        for name in pattern.findall(line):
            count += 1
            if not (root / name).exists() and not (path.parent / name).exists():
                faults.append(f"{relative}:{number}: {name} does not exist")

print("\n".join(faults) if faults else f"{count} names of files, all exist")
sys.exit(1 if faults else 0)
