"""The line protocol between bench/run.mjs and a contender in Python.

First line of standard output: {"name", "version", "setting", "threads", "maxError"}, or {"skipped": reason} where what it
needs is not installed. Then for each line "n" of standard input {"ms": [n times]}, until standard input ends.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

# Libraries print to standard output, some from C: only this stream reaches the benchmark.
_answers = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)


def answer(message):
    print(json.dumps(message), file=_answers, flush=True)


def skip(reason):
    """Says that this contender cannot run here, and ends."""
    answer({'skipped': reason})
    sys.exit(0)


def options():
    """`--data DIR --network NAME --threads N` of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--network', required=True)
    parser.add_argument('--threads', type=int, required=True)
    return parser.parse_args()


def max_error(output, reference):
    """Worst absolute error of two arrays, as numpy arrays; NaN is infinitely wrong."""
    import numpy as np

    error = np.abs(np.asarray(output, np.float64).ravel() - np.asarray(reference, np.float64).ravel()).max()
    return float(error) if np.isfinite(error) else 1e9


def milliseconds(run):
    start = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - start) / 1e6


def serve(run, *, name, version, threads, error, setting='', warm_up=3):
    """Warms up, says what this is and how far off, then times `run` as often as it is asked to."""
    for _ in range(warm_up):
        run()
    answer({'name': name, 'version': version, 'setting': setting, 'threads': threads, 'maxError': error})
    for line in sys.stdin:
        answer({'ms': [milliseconds(run) for _ in range(int(line))]})
