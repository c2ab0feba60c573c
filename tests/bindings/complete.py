#!/usr/bin/env python3
"""Lets a binding be built before Skarn has every function the binding refers to.

Usage: complete.py REFERENCE_HEADER INCLUDE_DIR LIBRARY OUT_DIR

Compares a complete rocksdb/c.h (the binding's own copy) with Skarn's headers and library, and writes

    OUT_DIR/include/rocksdb/c.h   Skarn's header plus declarations of what it does not declare
    OUT_DIR/missing.c             bodies for what the library does not export: they report the
                                  error "Not implemented: <function>", or print it
    OUT_DIR/missing.txt           the names

This is for the tests of bindings only; nothing of it is part of the library.
"""

import pathlib
import re
import subprocess
import sys

reference, include_dir, library, out = sys.argv[1:]
out = pathlib.Path(out)
(out / "include" / "rocksdb").mkdir(parents=True, exist_ok=True)


def preprocessed(header, *flags):
    return subprocess.run(
        ["cc", "-E", "-P", *flags, header], check=True, capture_output=True, text=True
    ).stdout


def statements(text):
    """Declarations at file scope, one string each."""
    depth, start, result = 0, 0, []
    for i, c in enumerate(text):
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == ";" and depth == 0:
            result.append(" ".join(text[start:i].split()))
            start = i + 1
    return result


def without_c_linkage(text):
    return re.sub(r'extern\s+"C"\s*\{', "", text)


FUNCTION = re.compile(r"^(?:extern )?(.*?)\b(rocksdb_\w+) ?\((.*)\)$")


def parse(text):
    functions, typedefs, enumerators = {}, {}, {}
    for statement in statements(without_c_linkage(text)):
        statement = re.sub(r"__attribute__ ?\(\(.*?\)\)", "", statement).strip()
        if statement.startswith("typedef"):
            name = re.search(r"\( ?\* ?(\w+)\) ?\(", statement) or re.search(r"(\w+)$", statement)
            if name and ("rocksdb" in statement or name.group(1).startswith("on_")):
                typedefs[name.group(1)] = statement
        elif re.match(r"^enum\b", statement):
            value = -1
            for item in re.search(r"\{(.*)\}", statement).group(1).split(","):
                if not item.strip():
                    continue
                name, _, given = (part.strip() for part in item.partition("="))
                if given:
                    value = enumerators[given] if given in enumerators else eval(given)  # noqa: S307
                else:
                    value += 1
                enumerators[name] = value
        else:
            found = FUNCTION.match(statement)
            if found and "(" not in found.group(1):
                functions[found.group(2)] = (found.group(1).strip(), found.group(3).strip())
    return functions, typedefs, enumerators


wanted, wanted_types, wanted_enumerators = parse(preprocessed(reference))
skarn_text = preprocessed(f"{include_dir}/rocksdb/c.h", f"-I{include_dir}")
have, have_types, have_enumerators = parse(skarn_text)
exported = set(
    line.split()[-1]
    for line in subprocess.run(
        ["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
)

with open(out / "include" / "rocksdb" / "c.h", "w") as header:
    header.write("#ifndef COMPLETED_ROCKSDB_C_H\n#define COMPLETED_ROCKSDB_C_H\n")
    header.write(f'#include "{pathlib.Path(include_dir).resolve()}/rocksdb/c.h"\n')
    header.write('#ifdef __cplusplus\nextern "C" {\n#endif\n')
    for name, statement in wanted_types.items():
        if name not in have_types:
            header.write(statement + ";\n")
    for name, value in wanted_enumerators.items():
        if name not in have_enumerators:
            header.write(f"enum {{ {name} = {value} }};\n")
    for name, (result, parameters) in wanted.items():
        if name not in have:
            header.write(f"extern {result} {name}({parameters});\n")
    header.write("#ifdef __cplusplus\n}\n#endif\n#endif\n")

missing = sorted(set(wanted) - exported)
with open(out / "missing.c", "w") as source:
    source.write('#include <stdio.h>\n#include <string.h>\n#include "rocksdb/c.h"\n')
    for name in missing:
        result, parameters = wanted[name]
        # The parameters get no names of their own; the last one may be the error pointer.
        named = re.search(r"char ?\* ?\* ?errptr$", parameters)
        source.write(f"{result} {name}({parameters}) {{\n")
        if named:
            source.write(f'  *errptr = strdup("Not implemented: {name}");\n')
        else:
            source.write(f'  fputs("Not implemented: {name}\\n", stderr);\n')
        if result.replace("extern", "").strip() != "void":
            source.write(f"  return ({result})0;\n")
        source.write("}\n")
(out / "missing.txt").write_text("".join(name + "\n" for name in missing))
print(f"{len(wanted)} functions in the reference, {len(missing)} not exported by the library")
