"""How long `import loihi_gym` takes beyond gymnasium and numba: ``python perf/import_time.py``."""

import argparse
import json
import statistics
import subprocess
import sys
import time

REPEATS = 7


def seconds(code: str) -> float:
    """Median wall time of a fresh interpreter that runs `code`."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    base = seconds("import gymnasium, numba")
    whole = seconds("import gymnasium, numba, loihi_gym")
    rows = {"gymnasium + numba": base, "with loihi_gym": whole, "loihi_gym adds": whole - base}
    if as_json:
        print(json.dumps(rows))
        return
    for name, value in rows.items():
        print(f"{name:20s} {value:.3f} s")


if __name__ == "__main__":
    main()
