#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets: make_corpus.py GOLDEN_DIRECTORIES DUMP

GOLDEN_DIRECTORIES is what tests/golden unpacks, DUMP what `corruption_sweep --dump` wrote. Seeds
go to tests/data/fuzz; what is there already stays.
"""
import glob
import json
import os
import random
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests", "data")


def put(target, name, data):
    path = os.path.join(DATA, "fuzz", target, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def records(log):
    """The whole records of a log that lie in its first block."""
    at = 0
    while at + 7 <= min(len(log), 32768):
        size, kind = struct.unpack_from("<HB", log, at + 4)
        head = 11 if kind in (5, 6, 7, 8) else 7
        if kind in (1, 5):
            yield log[at + head:at + head + size]
        if kind == 0:
            return
        at += head + size


def pieces(parts):
    return b"".join(struct.pack("<H", len(part)) + part for part in parts)


def main():
    golden, dump = sys.argv[1:3]
    batches = []
    for case in ("wal-compressed", "recycled-wal", "single-delete", "atomic-flush",
                 "two-phase-prepared", "merge-heavy-wal"):
        for release in ("6.29.5", "11.8.1"):
            for path in sorted(glob.glob(f"{golden}/rocksdb-{release}/{case}/db/*.log")):
                log = read(path)
                if not log:
                    continue
                put("wal_log", f"{case}-{release}", bytes([0x46]) + log[:1200])
                batches += list(records(log))[:6]
    for path in sorted(glob.glob(f"{dump}/log-*-point/*.log")):
        put("wal_log", path.split("/")[-2], bytes([0x02]) + read(path)[:1200])
    batches = sorted({b for b in batches if len(b) < 600}, key=len)[-24:]
    for i, batch in enumerate(batches):
        put("batch_format", f"batch{i}", batch)
    edits = []
    for path in sorted(glob.glob(f"{DATA}/manifest/*MANIFEST*")):
        edits += [r for r in records(read(path)) if len(r) < 700]
    edits = sorted(set(edits), key=lambda e: (len(e), e))
    edits = edits[::max(1, len(edits) // 40)]
    for i, edit in enumerate(edits):
        put("version_edit", f"edit{i}", edit)
    for path in sorted(glob.glob(f"{DATA}/fuzz/table_format/*")):
        name, data = os.path.basename(path), read(path)[1:]
        if name.startswith(("data", "range", "meta", "prop")):
            put("table_block", name, b"\0\3key" + data)
        elif name.startswith("index"):
            flags = (0x20 if "delta" in name else 0) | (0x40 if "first" in name else 0)
            put("table_block", name, bytes([flags | 0x11]) + b"\3key" + data)
    for path in sorted(glob.glob(f"{dump}/tables?.4/*.sst")):
        put("table_open", path.split("/")[-2] + "-" + os.path.basename(path)[:6],
            b"\4" + read(path))
    for path in sorted(glob.glob(f"{dump}/tables?.[03]/*12.sst")):
        put("table_open", path.split("/")[-2], b"\6" + read(path))
    with open(f"{DATA}/vectors/compression.json") as file:
        found = []

        def walk(node):
            if isinstance(node, dict):
                for value in node.values():
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)
            elif isinstance(node, str) and 8 < len(node) < 1200 and len(node) % 2 == 0:
                try:
                    found.append(bytes.fromhex(node))
                except ValueError:
                    pass

        walk(json.load(file))
    for i, payload in enumerate(found[::max(1, len(found) // 30)]):
        for codec in (i % 7, 0x40 | (i + 3) % 7):
            put("base_codec", f"payload{i}-{codec}", bytes([codec]) + payload)
    for name in ("6.29.5-cuckoo-table", "11.8.1-plain-table", "7.8.3-cuckoo-table"):
        put("options_text", name, b"\6" + read(f"{DATA}/options/{name}.ini"))
    strings = [
        "write_buffer_size=1024;max_write_buffer_number=2",
        "block_based_table_factory={block_size=4k;filter_policy=bloomfilter:10:false}",
        "compression_opts=4:5:6:7;bottommost_compression=kZSTD;prefix_extractor=capped:3",
        "max_bytes_for_level_multiplier_additional=1:2:3;compression_per_level=kNoCompression:kLZ4",
        "comparator=leveldb.BytewiseComparator;merge_operator={id=stringappend;delimiter=|}",
        "db_paths={{a,1}:{b,2}};wal_dir=x;info_log_level=WARN_LEVEL",
    ]
    for i, text in enumerate(strings):
        put("options_text", f"string{i}", b"\7" + text.encode())
    entity = bytes([1, 2, 1]) + b"a" + bytes([1]) + bytes([1]) + b"b" + bytes([2]) + b"xyz"
    put("key_formats", "entity1", b"\0" + entity)
    put("key_formats", "entity0", b"\0" + bytes([1, 1, 0, 5]) + b"value")
    put("key_formats", "tombstones", b"\1" + b"".join(
        bytes([1]) + a + bytes([1]) + b + bytes([i])
        for i, (a, b) in enumerate([(b"a", b"c"), (b"b", b"d"), (b"a", b"z"), (b"c", b"d")])))
    put("db_recovery", "batches", b"\2" + pieces(batches[:10]))
    put("db_recovery", "batches-recycled", b"\x12" + pieces(batches[8:16]))
    put("db_recovery", "batches-skip", b"\3" + pieces(batches[:3] + [b"short"] + batches[4:6]))
    put("db_recovery", "edits", b"\x0a" + pieces(edits[:12]))
    for i, name in enumerate(("11.8.1-basic-wal-only-MANIFEST-000005",
                              "11.8.1-two-phase-prepared-MANIFEST-000005")):
        manifest = read(f"{DATA}/manifest/{name}")
        put("db_recovery", f"manifest{i}", b"\x0a" + pieces(list(records(manifest))))
        put("db_recovery", f"manifest-raw{i}", b"\x0e" + manifest)
    for seed in range(6):
        put("compat_calls", f"random{seed}", random.Random(seed).randbytes(500 + 300 * seed))


main()
