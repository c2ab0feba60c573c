#!/usr/bin/env python3
"""Compares the LOG that Skarn writes with genuine RocksDB's, line shape by line shape.

Usage: compare.py WORKLOAD ORACLE_LIBRARY_DIR SKARN_LIBRARY_DIR

Runs the same program on both libraries. A shape is a line without its time, its thread, its place
in a source file and the values of its numbers; of an event it is the set of field names. Every shape
that genuine RocksDB writes must occur in Skarn's LOG too, or be one of those named below.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# What Skarn does not write, and why.
LEFT_OUT = [
    (r"^Compile date", "says when RocksDB was built"),
    (r"^\[JOB N\] Syncing log", "Skarn syncs closed logs only where several families are flushed"),
    (r"^Calling FlushMemTableToOutputFile", "internals of RocksDB's scheduler"),
    (r"^Compaction nothing to do", "a thread of RocksDB that came too late for its work, now and then"),
    (r"LevelN flush table #N: started$", "the event flush_started says it"),
    (r"LevelN commit table #N", "installing is part of the flush"),
    (r"WriteLevelNTableForRecovery", "debug output of a build with assertions"),
    (r"^\[JOB N\] Delete ", "debug output of a build with assertions"),
    (r"^\[JOB N\] Try to delete WAL files", "internals of RocksDB's purge"),
    (r"^Deleted file ", "events tell of tables; logs are not told of"),
    (r"^(SstFileManager instance|Options.sst_file_manager)", "there is none unless it is asked for"),
    (r"Manual compaction (from|starting)", "its steps are told by compaction_started"),
    (r"PERSISTING STATS|In-memory stats history", "there is no stats history in the C API"),
    (r"^(num_shard_bits|memory_allocator|high_pri_pool_ratio|low_pri_pool_ratio) ?:",
     "details of RocksDB's caches"),
    (r"^Block cache (LRUCache|HyperClockCache|AutoHyperClockCache)@", "details of RocksDB's caches"),
    (r"^block_cache_compressed", "retired"),
    (r"^Options\.(access_hint_on_compaction_start|random_access_max_buffer_size)", "retired"),
    (r"^Options\.max_write_buffer_number_to_maintain", "retired"),
    (r"ignore_max_compaction_bytes_for_input", "retired"),
    (r"^kZSTDNotFinalCompression", "retired"),
    (r"^(memtable_prefix_bloom_ratio|check_flush_compaction_key_order|compression|last_level_"
     r"temperature|prepopulate_blob_cache|max_bytes_for_level_multiplier_additional|compaction_"
     r"options_(universal|fifo)\.\w+) ?:", "after SetOptions Skarn dumps its own rows"),
]
LEFT_OUT_FIELDS = set()

PREFIX = re.compile(r"^\d{4}/\d\d/\d\d-\d\d:\d\d:\d\d\.\d{6} \w+ ")
ORIGINAL_TIME = re.compile(r"^\(Original Log Time [^)]*\) ")
PLACE = re.compile(r"^(\[(DEBUG|INFO|WARN|ERROR)\] )?(\[[\w/]+\.(cc|h):\d+\] )?")


def fields(value, path=""):
    if isinstance(value, dict):
        return {name for key, item in value.items() for name in fields(item, f"{path}{key}.")}
    return {path.rstrip(".")}


def shape(line, directory):
    line = PREFIX.sub("", line.rstrip("\n"))
    line = ORIGINAL_TIME.sub("", line)
    line = PLACE.sub("", line)
    line = line.replace(directory, "DIR").strip()
    line = re.sub(r"0x[0-9a-f]+", "P", line)
    line = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", line)
    line = re.sub(r"(DB Session ID: +)\w+", r"\1ID", line)
    line = re.sub(r"RocksDB version: .*", "RocksDB version: N", line)
    if line.startswith("Options."):
        # The values of options are the same on both sides.
        line = re.sub(r": false$", ": 0", re.sub(r": true$", ": 1", line.replace("(nil)", "P")))
        return re.sub(r"\s+", " ", line)
    line = re.sub(r"\[(default|second|third)\]", "[FAMILY]", line)
    line = re.sub(r"^(User|High|Low|Sum|Int|L\d+) +(?=\d+/)", "ROW ", line)
    line = re.sub(r"(Not s|S)upported on x86", "Supported on x86", line)
    line = re.sub(r" \(P\)$", "", line)
    line = re.sub(r"-{20,}", "---", line)
    line = re.sub(r"(Block cache entry stats\(count,size,portion\):).*", r"\1", line)
    line = re.sub(r"^(\S+) (COUNT|P50) : .*", r"NAME \2 : N", line)
    line = re.sub(r"-?\d+(\.\d+)?(e[-+]\d+)?", "N", line)
    line = re.sub(r"(, N)+\]", ", N]", line)
    line = re.sub(r"\[[-N (KB)]+\]", "[N]", line)
    line = re.sub(r"N (KB|MB|GB)\b", "N BYTES", line)
    line = re.sub(r"#+$", "#", line).rstrip(" #")
    line = re.sub(r"\bK\b", "", line)
    return re.sub(r"\s+", " ", line).strip()


def shapes_of(workload, libraries):
    with tempfile.TemporaryDirectory() as parent:
        directory = os.path.join(parent, "db")
        subprocess.run([workload, directory], check=True,
                       env={**os.environ, "LD_LIBRARY_PATH": libraries})
        logs = sorted(pathlib.Path(directory).glob("LOG*"), key=lambda path: path.name == "LOG")
        lines, events = {}, {}
        for log in logs:
            for line in log.read_text(errors="replace").splitlines():
                if "EVENT_LOG_v1" in line:
                    event = json.loads(line[line.index("{"):])
                    events.setdefault(event["event"], set()).update(fields(event))
                    continue
                # The first of the table's options stands beside the title, whichever it is.
                for part in line.split("table_factory options:"):
                    found = shape(part, directory)
                    if found:
                        lines.setdefault(found, line)
        return lines, events


def main():
    workload, oracle, skarn = sys.argv[1:]
    genuine_lines, genuine_events = shapes_of(workload, oracle)
    skarn_lines, skarn_events = shapes_of(workload, skarn)
    failures = 0
    left_out = 0
    for found, line in genuine_lines.items():
        # Later releases say more at the end of some lines, and so does Skarn.
        if any(line_of_skarn.startswith(found) for line_of_skarn in skarn_lines):
            continue
        if any(re.search(pattern, found) for pattern, _ in LEFT_OUT):
            left_out += 1
            continue
        print(f"not in Skarn's LOG: {found}\n    as in: {line}")
        failures += 1
    for event, names in genuine_events.items():
        if event not in skarn_events:
            print(f"no event {event}")
            failures += 1
            continue
        for name in sorted(names - skarn_events[event] - LEFT_OUT_FIELDS):
            print(f"event {event} lacks {name}")
            failures += 1
    print(f"{len(genuine_lines)} line shapes and {len(genuine_events)} events of RocksDB: "
          f"{left_out} left out on purpose, {failures} missing")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
