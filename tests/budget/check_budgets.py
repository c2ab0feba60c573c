#!/usr/bin/env python3
"""Whether hot paths execute as many instructions per operation as the table says.

Usage: check_budgets.py VALGRIND MEASURE LIBRARY [--rewrite] [--show]

Runs budget_measure under callgrind and compares with budgets.tsv beside this file. A path that grew by
more than 5 percent fails. One that shrank by more than 5 percent does not, but the table is then to be
written anew with --rewrite, so that the gain is kept. --show prints what was counted and judges
nothing, for libraries other than Skarn's.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOLERANCE = 0.05
table_path = pathlib.Path(__file__).with_name("budgets.tsv")


def count(valgrind, measure, library):
    """Instructions per operation of each part, in the order in which they ran."""
    with tempfile.TemporaryDirectory(prefix="budget.") as folder:
        command = [valgrind, "--tool=callgrind", "--instr-atstart=no", "--quiet",
                   f"--callgrind-out-file={folder}/out", measure, library, folder]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"status {done.returncode} of {' '.join(command)}\n{done.stdout}{done.stderr}")
        operations = dict(line.split() for line in done.stdout.splitlines())
        instructions = {}
        for path in pathlib.Path(folder).glob("out.*"):
            with open(path, errors="replace") as file:
                text = file.read()
            name = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.M)
            total = re.search(r"^totals: (\d+)", text, re.M)
            if name and total:
                instructions[name.group(1)] = int(total.group(1))
    missing = set(operations) ^ set(instructions)
    if missing or not operations:
        sys.exit(f"callgrind left no count of {sorted(missing)}\n{done.stderr}")
    return {name: instructions[name] / int(count) for name, count in operations.items()}


def read_table():
    lines = [line for line in table_path.read_text().splitlines() if line and line[0] != "#"]
    return {name: float(number) for name, number in (line.split("\t")[:2] for line in lines)}


def write_table(counted):
    comment = [line for line in table_path.read_text().splitlines() if line.startswith("#")]
    lines = [f"{name}\t{number:.0f}" for name, number in counted.items()]
    table_path.write_text("\n".join(comment + lines) + "\n")


flags = {word for word in sys.argv[1:] if word.startswith("--")}
words = [word for word in sys.argv[1:] if not word.startswith("--")]
if len(words) != 3 or not flags <= {"--rewrite", "--show"}:
    sys.exit(__doc__)
counted = count(*words)
if "--show" in flags:
    for name, number in counted.items():
        print(f"{name:20} {number:10.1f}")
    sys.exit(0)
if "--rewrite" in flags:
    write_table(counted)

budgets = read_table()
faults = []
print(f"{'path':20} {'budget':>10} {'counted':>10}")
for name in list(counted) + sorted(set(budgets) - set(counted)):
    if name not in budgets or name not in counted:
        faults.append(f"{name} is {'not in the table' if name in counted else 'no longer measured'}")
        continue
    change = counted[name] / budgets[name] - 1
    verdict = ""
    if change > TOLERANCE:
        verdict = "GREW"
        faults.append(f"{name} grew by {100 * change:.1f} %: {budgets[name]:.0f} instructions per "
                      f"operation were allowed, {counted[name]:.0f} are executed")
    elif change < -TOLERANCE:
        verdict = "shrank: keep the gain with --rewrite"
    print(f"{name:20} {budgets[name]:10.0f} {counted[name]:10.1f} {100 * change:+6.1f} % {verdict}")
print("\n".join(faults))
sys.exit(1 if faults else 0)
