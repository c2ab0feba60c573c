#!/usr/bin/env python3
"""Calls every function of the C API with null for each pointer and 0 for each number, and then with
each handle of its kind that was created and destroyed before: none may end the process
(compat/handle_life.h).

Usage: nulls.py COMPILER INCLUDE_DIRECTORY LIBRARY
"""

import os
import re
import subprocess
import sys
import tempfile

HEAD = """#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "rocksdb/c.h"
"""
TAIL = """
int main(void) {
  unsigned i, failed = 0;
  for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
    int outcome = 0;
    pid_t child;
    fflush(stdout);
    child = fork();
    if (child == 0) {
      alarm(20);
      calls[i].call();
      _exit(0);
    }
    if (waitpid(child, &outcome, 0) == child && WIFEXITED(outcome)) continue;
    printf("%s ends the process: signal %d\\n", calls[i].text, WTERMSIG(outcome));
    failed++;
  }
  printf("%u calls, %u end the process\\n", i, failed);
  return i < 1200 || failed != 0;
}
"""


def declarations(compiler, include):
    """The functions that the header declares: name, type, types of parameters."""
    text = subprocess.run([compiler, "-std=c99", "-E", "-P", "-I" + include, "-x", "c", "-"],
                          input='#include "rocksdb/c.h"\n', capture_output=True, text=True,
                          check=True).stdout
    text = re.sub(r"\s+", " ", text)
    function = r"extern (?:__attribute__ ?\(\(.*?\)\) )?([\w *]+?)\b(rocksdb_\w+) ?\(((?:[^()]|\([^()]*\))*)\) ?;"
    for result, name, parameters in re.findall(function, text):
        parts = re.sub(r"\([^()]*\)", "", parameters).split(",")
        parts = [] if parameters.strip() in ("", "void") else parts
        kinds = [re.match(r"(?:const )?(rocksdb_\w+_t) ?\* ?(?:const )?\w*$", part.strip())
                 for part in parts]
        yield name, result.replace(" ", ""), [kind and kind.group(1) for kind in kinds]


def main():
    compiler, include, library = sys.argv[1:4]
    functions = list(declarations(compiler, include))
    nulls = {name: ", ".join("0" * len(kinds)) for name, _, kinds in functions}
    calls = [(f"{name}({nulls[name]})", f"(void){name}({nulls[name]});") for name, _, _ in functions]
    makers = {}
    for name, result, _ in functions:
        if "create" in name: makers.setdefault(result[:-1] if result.endswith("_t*") else "", name)
    enders = {kinds[0]: name for name, _, kinds in functions
              if name.endswith("destroy") and len(kinds) == 1 and kinds[0]}
    for name, _, kinds in functions:
        for kind in set(kinds) & set(makers) & set(enders):
            make, end = makers[kind], enders[kind]
            given = ", ".join("destroyed" if of == kind else "0" for of in kinds)
            calls.append((f"{name}({given}) after {make}", f"{kind}* destroyed = {make}({nulls[make]}); "
                          f"if (destroyed == 0) return; {end}(destroyed); (void){name}({given});"))
    program = HEAD
    for i, (_, body) in enumerate(calls):
        program += f"static void Call{i}(void) {{ {body} }}\n"
    program += "static const struct { const char* text; void (*call)(void); } calls[] = {\n"
    program += "".join(f'  {{"{text}", Call{i}}},\n' for i, (text, _) in enumerate(calls))
    program += "};\n" + TAIL
    with tempfile.TemporaryDirectory() as directory:
        source, binary = os.path.join(directory, "nulls.c"), os.path.join(directory, "nulls")
        with open(source, "w", encoding="ascii") as file:
            file.write(program)
        subprocess.run([compiler, "-w", "-D_GNU_SOURCE", "-I" + include, source, "-o", binary, library,
                        "-Wl,-rpath," + os.path.dirname(library)], check=True)
        return subprocess.run([binary], check=False).returncode


sys.exit(main())
