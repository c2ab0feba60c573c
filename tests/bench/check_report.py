#!/usr/bin/env python3
"""Whether the bench measures every workload on every library, and its reports say so.

Runs a tiny list of all workloads, and the suite of goals, and reads the JSON and HTML they leave.
Usage: check_report.py BENCH LIBRARY [OTHER...]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

bench, libraries = sys.argv[1], sys.argv[2:]
folder = pathlib.Path(tempfile.mkdtemp(prefix="bench_report."))
faults = []


def check(truth, text):
    if not truth:
        faults.append(text)


def run(expected, *flags):
    command = [bench, f"--lib={libraries[0]}", f"--db={folder}/db", f"--json={folder}/report.json",
               f"--html={folder}/report.html", "--noprogress", *flags]
    if len(libraries) > 1:
        command.append("--vs=" + ",".join(libraries[1:]))
    done = subprocess.run(command, capture_output=True, text=True)
    check(done.returncode == expected,
          f"status {done.returncode} of {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout, json.loads((folder / "report.json").read_text())


def check_figures(result, num):
    name = f"{result['scenario']} {result['workload']} of {libraries[result['library']]}"
    if "skipped" in result:
        # LevelDB lacks functions; the others lack none that the list needs.
        check("leveldb" in libraries[result["library"]], f"{name} was left out: {result['skipped']}")
        return
    check("error" not in result, f"{name}: {result.get('error')}")
    if result["operations"] == 0:
        # A companion may not get to run before the others have ended.
        check("." in result["workload"], f"{name} did nothing")
        return
    check(result["seconds"] > 0 and result["ops_per_second"] > 0, f"{name} has no throughput")
    latency = result["latency_us"]
    check(0 < latency["p50"] <= latency["p99"] <= latency["p99.9"] <= latency["max"] * 1.0001,
          f"{name}: {latency}")
    check(result["cpu_us_per_op"] >= 0 and result["peak_memory"] > 1 << 16, f"{name}: no memory")
    if result["workload"] in ("filluniquerandom", "fillseq"):
        check(result["operations"] == num, f"{name}: {result['operations']} operations")
        # Half of the values' bytes compress, but what is in the log does not.
        check(result["bytes_on_disk"] > num * 40, f"{name}: {result['bytes_on_disk']} on disk")
    if result["workload"] in ("readrandom", "warm") and result["scenario"] == "all":
        check(result["found"] == result["operations"], f"{name} found {result['found']}")
    if result["workload"] == "readmissing":
        check(result["found"] == 0, f"{name} found {result['found']}")


workloads = ("fillseq,fillrandom,overwrite,fillbatch,fillsync,filluniquerandom,compact,warm,"
             "readrandom,readhot,readmissing,multireadrandom,readseq,readreverse,seekrandom,"
             "newiterator,readwhilewriting,readwhilescanning,deleterandom,deleterange,fillruns,"
             "flush,compact,mergerandom,openclose,open,close,recover").split(",")
text, report = run(0, "--benchmarks=" + ",".join(workloads), "--num=1000", "--rounds=2",
                   "--opens=2", "--bloom_bits=10", "--compression_type=lz4")
for result in report["results"]:
    check_figures(result, 1000)
seen = {(r["library"], r["workload"].split("#")[0], r["round"]) for r in report["results"]}
for library in range(len(libraries)):
    for workload in workloads:
        for turn in range(2):
            check((library, workload, turn) in seen, f"no result of {workload}")
for pair in report["pairs"]:
    ratio = pair["ratio"]
    check(0 < ratio["lowest"] <= ratio["median"] <= ratio["highest"], f"ratio {pair}")
check(report["disagreements"] == [], f"different answers: {report['disagreements']}")
check(len(libraries) == 1 or len(report["pairs"]) > 20, "too few pairs")
html = (folder / "report.html").read_text()
check(html.count("<svg") > 20 and "polyline" in html, "the page has no plots")
check("src=" not in html and "http" not in html, "the page needs other files")
check("readrandom" in text and "p99.9" in text, "the text report is empty")

libraries = libraries[:2]
text, report = run(0, "--suite=goals", "--num=500", "--reads=500", "--writes=500", "--opens=1",
                   "--only=fillseq,compact-zstd,open,sync-8")
for result in report["results"]:
    check_figures(result, 500)
if len(libraries) > 1:
    titles = {goal["title"]: goal for goal in report["goals"]}
    check(set(titles) == {"fillseq", "compaction zstd", "open + close", "synced puts, 8 threads"},
          f"goals {sorted(titles)}")
    for goal in report["goals"]:
        check(goal["reaches_floor"] == (goal["ratio"]["median"] >= goal["floor"]), f"goal {goal}")
    check("geometric mean" in text and report["geometric_mean"] > 0, "no geometric mean")

libraries = [str(folder / "absent.so")]
text, report = run(1, "--benchmarks=fillseq", "--num=10")
check("absent.so" in report["results"][0].get("error", ""), "a missing library is not an error")

print("\n".join(faults) if faults else "the reports hold what was measured")
sys.exit(1 if faults else 0)
