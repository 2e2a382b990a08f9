"""How well `mesh` ranks placements that a cycle-accurate simulator timed.

    python perf/fidelity.py [FILE...] [--json]

Prints, for each reference case (by default those in tests/data/noc), the spread (how much slower
the worst placement is than the best), the rank correlation of the step times over all placements
and over the uniformly random ones alone, the regret (how much slower than the best is, in the
reference, the placement that `mesh` calls best), the median ratio of `mesh` to the reference, and
how many placements `mesh` simulated per second on one core.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from noc_cases import read_noc_case, regret
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from loihi_gym.errors import LoihiGymError

CASES = Path(__file__).parent.parent / "tests" / "data" / "noc"


class Fidelity(NamedTuple):
    """One line of the table."""

    file: str
    spread: float
    spearman: float
    spearman_random: float | None
    regret: float
    ratio_median: float
    evaluations_per_second: float


def fidelity(path: str | Path) -> Fidelity:
    """Compare one reference case.

    Raises:
        NocCaseError: if the file is missing or malformed.
    """
    case = read_noc_case(path)
    case.simulate()  # compiles
    start = time.perf_counter()
    found = case.simulate()
    seconds = time.perf_counter() - start
    return Fidelity(
        file=str(path),
        spread=float(case.step_ns.max() / case.step_ns.min()) - 1,
        spearman=float(spearmanr(found, case.step_ns)[0]),
        spearman_random=float(spearmanr(found[case.random], case.step_ns[case.random])[0])
        if case.random.sum() > 2
        else None,
        regret=regret(found, case.step_ns),
        ratio_median=float(np.median(found / case.step_ns)),
        evaluations_per_second=len(found) / seconds,
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="reference cases")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args(arguments)
    try:
        rows = [fidelity(path) for path in options.files or sorted(CASES.glob("*.json"))]
    except LoihiGymError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
        return 0
    table = Table("case", "spread", "Spearman", "random ones", "regret", "median ratio", "per s")
    for row in rows:
        of_random = "-" if row.spearman_random is None else f"{row.spearman_random:.3f}"
        table.add_row(
            Path(row.file).stem,
            f"{row.spread:.1%}",
            f"{row.spearman:.3f}",
            of_random,
            f"{row.regret:.2%}",
            f"{row.ratio_median:.3f}",
            f"{row.evaluations_per_second:.0f}",
        )
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
