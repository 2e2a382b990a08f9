"""Reference mappings and digests of the named workloads, computed again.

    python tools/recompute.py                    # print what differs from bundled.toml
    python tools/recompute.py --write            # and write it there
    python tools/recompute.py policy --write     # of some only

To be run after a change of the standard heuristics, of today's chips, or of a network. Benchmarks
of a released chip (``v1/...``) are left alone.
"""

import argparse
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from loihi_gym.benchmarks import Benchmark, benchmark, benchmark_names
from loihi_gym.benchmarks.references import fastest_heuristic
from loihi_gym.mapping import Problem

ENTRIES = Path(__file__).parent.parent / "loihi_gym" / "benchmarks" / "bundled.toml"
RELEASED = "v1/"


def computed(entry: Benchmark) -> Benchmark:
    """The entry with its digest and its reference as they are now."""
    made = entry.problem()
    if entry.generated:
        sha256 = fingerprint(made)
    else:
        sha256 = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    return replace(entry, sha256=sha256, reference=fastest_heuristic(made))


def fingerprint(problem: Problem) -> str:
    """sha256 of all masks and messages of a problem: what its load follows from."""
    digest = hashlib.sha256()
    arrays = [part for w in problem.network.weights for part in (w.indptr, w.indices)]
    for array in (*arrays, *problem.activity.messages):
        digest.update(np.ascontiguousarray(array, "<i4").tobytes())
    return digest.hexdigest()


def written(text: str, entry: Benchmark) -> str:
    """The file's text with an entry's digest and reference in place."""
    head, title, rest = text.partition(f"[{entry.name}]\n")
    body, end, tail = rest.partition("\n[")
    for key, value in (("sha256", entry.sha256), ("reference", entry.reference)):
        body = re.sub(rf'^{key} = ".*"$', f'{key} = "{value}"', body, flags=re.MULTILINE)
    body = re.sub("&reference=[^&]*", f"&reference={entry.reference}", body)  # of a URI
    return head + title + body + end + tail


def main() -> None:
    """Compute, print, and write if asked to."""
    parser = argparse.ArgumentParser(description="Compute references and digests again.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks  [default: all]")
    parser.add_argument("--write", action="store_true", help="write them to bundled.toml")
    arguments = parser.parse_args()
    text = ENTRIES.read_text(encoding="utf-8")
    for name in arguments.names or benchmark_names():
        entry = benchmark(name)
        if entry.chip.startswith(RELEASED):
            continue
        new = computed(entry)
        changed = new != entry
        print(f"{name}: {new.reference}{'  (changed)' if changed else ''}", flush=True)
        text = written(text, new)
    if arguments.write:
        ENTRIES.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
