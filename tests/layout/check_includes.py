#!/usr/bin/env python3
"""Whether every file of core/ includes its own room and lower floors only.

The floors are the skarn_floor() lines of the top CMakeLists.txt. compat/ is above all rooms; nothing
in core/ includes a public C header. Usage: check_includes.py SOURCE_DIR
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
floors = {}
for number, line in enumerate(
    re.findall(r"^skarn_floor\(([^)]*)\)", (root / "CMakeLists.txt").read_text(), re.M)
):
    for room in line.split():
        floors[room] = number
if len(floors) < 10:
    sys.exit("cannot find the floors in CMakeLists.txt")

faults = []
files = 0
for path in sorted((root / "core").rglob("*")):
    if path.suffix not in (".h", ".cc", ".def", ".inc"):
        continue
    files += 1
    room = path.relative_to(root / "core").parts[0]
    where = path.relative_to(root)
    if room not in floors:
        faults.append(f"{where}: room {room} has no floor")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^">]+)[>"]', line)
        if not found:
            continue
        name = found.group(2)
        if name.startswith(("rocksdb/", "include/", "compat/", "skarn/")):
            faults.append(f"{where}:{number}: core/ may not include {name}")
        elif name.startswith("core/"):
            other = name.split("/")[1]
            if other not in floors:
                faults.append(f"{where}:{number}: no such room: {name}")
            elif other != room and floors[other] >= floors[room]:
                faults.append(f"{where}:{number}: room {room} may not include {name}")
        elif found.group(1) == '"':
            faults.append(f"{where}:{number}: include {name} by its path from the root")

print("\n".join(faults) if faults else f"{files} files keep to their floors")
sys.exit(1 if faults else 0)
