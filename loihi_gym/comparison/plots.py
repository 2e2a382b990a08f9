"""Pictures of a comparison, as PNG. Needs matplotlib."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np

from .results import Instance, Results
from .statistics import profile

STYLES = "-", "--"
"""Ten colours, then the same dashed: no two of twenty solvers look alike."""


def curves(results: Results, one: Instance) -> bytes:
    """Reduction by a problem's best so far against evaluations: median and quartiles of seeds."""
    with _figure() as (png, axes):
        for label in results.labels:
            if label in one.left_out:
                continue
            budget = max(results.plan.suite.seeds)
            runs = results.of(label, one.name, budget)
            at = np.unique(np.geomspace(1, budget, 200).astype(np.int64))
            found = np.array([[run.at(int(n)) for n in at] for run in runs])
            low, middle, high = 1.0 - np.quantile(
                found / one.reference.latency_ps, [0.75, 0.5, 0.25], 0
            )
            (line,) = axes.plot(at, 100 * middle, label=label)
            axes.fill_between(at, 100 * low, 100 * high, alpha=0.15, color=line.get_color())
        axes.set(xscale="log", xlabel="evaluations", ylabel="latency reduction (%)", title=one.name)
        if one.lower_bound_ps is not None:
            most = 100 * (1 - one.lower_bound_ps / one.reference.latency_ps)
            axes.axhline(most, color="black", linestyle=":", label="lower bound")
            axes.set_ylim(top=max(1.1 * most, 1.0))
        axes.set_ylim(bottom=max(-50.0, axes.get_ylim()[0]))
        if axes.get_lines():
            axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return png.getvalue()


def profiles(results: Results) -> bytes:
    """Part of all runs at the largest budget that come within a factor of the best known.

    Runs that do not fit count, as never within (Dolan and Moré 2002).
    """
    limits = np.linspace(1.0, 1.6, 200)
    budget = max(results.plan.suite.seeds)
    with _figure() as (png, axes):
        for label in results.labels:
            ratios = [
                run.at(budget) / one.best_ps
                for one in results.instances
                for run in results.of(label, one.name, budget)
            ]
            absent = len(results.instances) - len(results.fitting(label))
            ratios += [np.inf] * (absent * results.plan.suite.seeds[budget])
            axes.plot(limits, 100 * profile(np.array(ratios), limits), label=label)
        axes.set(xlabel="latency / best known", ylabel="runs within (%)", ylim=(-2, 102))
        axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return png.getvalue()


@contextmanager
def _figure() -> Iterator[tuple[BytesIO, Any]]:
    from matplotlib import rcParamsDefault
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import cycler

    png, figure = BytesIO(), Figure(figsize=(8.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_prop_cycle(cycler(linestyle=STYLES) * rcParamsDefault["axes.prop_cycle"])
    yield png, axes
    FigureCanvasAgg(figure).print_png(png)  # type: ignore[no-untyped-call]
