#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the programs of the unit tests or fuzzers, shows what failed, and ends with one line of
counts. The first argument is the word that this line begins with.

Each program speaks TAP, as cmocka does when asked to: "ok 1 - name", "not ok 2 - name".
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

WATCHDOG = 600


def run(program):
    environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
    try:
        result = subprocess.run(
            [program],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=WATCHDOG,
            text=True,
            errors="replace",
        )
        output, status = result.stdout, result.returncode
    except subprocess.TimeoutExpired:
        output, status = f"did not end within {WATCHDOG} s\n", -1
    passed = len(re.findall(r"^ok \d+", output, re.MULTILINE))
    failed = len(re.findall(r"^not ok \d+", output, re.MULTILINE))
    planned = sum(int(count) for count in re.findall(r"^1\.\.(\d+)", output, re.MULTILINE))
    # A program that was stopped half-way (a sanitizer's finding) has not passed the rest.
    failed = max(failed, planned - passed, 1 if status != 0 or planned == 0 else 0)
    return program, passed, failed, output


def main():
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, sys.argv[2:]))
    for program, _, failed, output in results:
        if failed:
            print(f"{program}:\n{output}")
    passed = sum(result[1] for result in results)
    failed = sum(result[2] for result in results)
    print(f"{sys.argv[1]}: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
