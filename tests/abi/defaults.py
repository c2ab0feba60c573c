#!/usr/bin/env python3
"""Compares the defaults of option objects between two libraries with the same C functions.

  defaults.py INCLUDE_DIR LIBRARY ORACLE

Every getter `T rocksdb_X_get_Y(rocksdb_X_t*)` of the header with a number as its result is
called on a fresh object in both libraries, each in a process of its own. Fails when a value
differs, or when suspiciously few getters could be compared.
"""

import ctypes
import json
import os
import re
import subprocess
import sys

NUMBERS = {
    "unsigned char": ctypes.c_ubyte, "char": ctypes.c_byte, "bool": ctypes.c_bool,
    "int": ctypes.c_int, "unsigned int": ctypes.c_uint, "size_t": ctypes.c_size_t,
    "uint8_t": ctypes.c_uint8, "int32_t": ctypes.c_int32, "uint32_t": ctypes.c_uint32,
    "int64_t": ctypes.c_int64, "uint64_t": ctypes.c_uint64, "double": ctypes.c_double,
}
# How a fresh object of each type is made.
MAKERS = {
    "rocksdb_options_t": "rocksdb_options_create",
    "rocksdb_readoptions_t": "rocksdb_readoptions_create",
    "rocksdb_writeoptions_t": "rocksdb_writeoptions_create",
    "rocksdb_flushoptions_t": "rocksdb_flushoptions_create",
    "rocksdb_compactoptions_t": "rocksdb_compactoptions_create",
    "rocksdb_wait_for_compact_options_t": "rocksdb_wait_for_compact_options_create",
    "rocksdb_block_based_table_options_t": "rocksdb_block_based_options_create",
    "rocksdb_fifo_compaction_options_t": "rocksdb_fifo_compaction_options_create",
    "rocksdb_universal_compaction_options_t": "rocksdb_universal_compaction_options_create",
    "rocksdb_lru_cache_options_t": "rocksdb_lru_cache_options_create",
}
# A library that was built with assertions logs more by default.
SKIPPED = {"rocksdb_options_get_info_log_level"}


def getters(include):
    text = ""
    for folder, _, names in os.walk(include):
        for name in sorted(names):
            if name.endswith(".h"):
                text += open(os.path.join(folder, name)).read()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"\s+", " ", text)
    pattern = (r"extern (?:ROCKSDB_LIBRARY_API )?([a-z0-9_ ]+?) (rocksdb_[a-z0-9_]+_get_[a-z0-9_]+)"
               r" ?\( ?(?:const )?(rocksdb_[a-z0-9_]+_t) ?\* ?\w* ?\)")
    return [(name, result, kind) for result, name, kind in re.findall(pattern, text)
            if result in NUMBERS and kind in MAKERS and name not in SKIPPED]


def values(include, library):
    found = {}
    functions = ctypes.CDLL(library)
    for name, result, kind in getters(include):
        if not hasattr(functions, name) or not hasattr(functions, MAKERS[kind]):
            continue
        make = getattr(functions, MAKERS[kind])
        make.restype = ctypes.c_void_p
        get = getattr(functions, name)
        get.restype = NUMBERS[result]
        get.argtypes = [ctypes.c_void_p]
        found[name] = get(make())
    return found


def main():
    if sys.argv[1] == "--values":
        json.dump(values(sys.argv[2], sys.argv[3]), sys.stdout)
        return 0
    include, library, oracle = sys.argv[1:4]
    if not os.path.exists(oracle):
        print("no oracle:", oracle)
        return 77
    sides = [json.loads(subprocess.check_output(
        [sys.executable, __file__, "--values", include, path])) for path in (library, oracle)]
    both = sorted(set(sides[0]) & set(sides[1]))
    different = [name for name in both if sides[0][name] != sides[1][name]]
    for name in different:
        print(f"{name}: {sides[0][name]}, expected {sides[1][name]}")
    print(f"{len(both)} getters compared, {len(different)} differ")
    return 1 if different or len(both) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
