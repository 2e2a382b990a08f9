"""`Problem`: what is to be solved: a workload, and the mapping that results are compared with."""

from base64 import b64encode
from dataclasses import dataclass, field, replace
from functools import cached_property
from pkgutil import resolve_name

from ..arrays import IntArray
from ..errors import one_line
from ..notebook import html_table
from .heuristics import heuristic
from .mapping import Mapping
from .problem_digest import problem_digest
from .workload import Workload


@dataclass(frozen=True, eq=False)
class Problem(Workload):
    """A network, its recorded activity, a chip, and the mapping that results are compared with.

    Attributes:
        reference: A standard heuristic, as ``partitioning/order``: a fast one of them.
        inputs: The samples the activity was recorded on, (depth + T, widths[0]), for backends that
            run the network itself; None if it was not recorded, but drawn or given.

    Example:
        >>> import loihi_gym
        >>> problem = loihi_gym.load("mlp-xs")
        >>> problem.n_layers, problem.topology.n_cores
        (5, 24)
        >>> problem.check(loihi_gym.Mapping([1, 1, 1, 1, 1], [0, 1, 2, 3, 3]))
        [Violation(constraint='logical cores per core', where='core 3', value=2, limit=1)]
    """

    reference: str = "lava-default/row-major"
    inputs: IntArray | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"Problem({one_line(self.name)!r}: {self._summary()}, reference {self.reference})"

    def _repr_html_(self) -> str:
        """A row for each layer and the picture of the reference mapping, for notebooks."""
        network = self.network
        rows = [
            (
                *(layer, f"{width:,}", f"{network.weights[layer - 1].nnz:,}" if layer else ""),
                f"{network.densities[layer - 1]:.1%}" if layer else "",
                f"{active:.1%}",
            )
            for layer, (width, active) in enumerate(
                zip(network.widths, self.activity.active, strict=True)
            )
        ]
        columns = "layer", "neurons", "synapses", "density", "active"
        made = html_table(f"{self.name}: {self._summary()}", columns, rows)
        png = self._repr_png_()
        if png is None:
            return made
        data = b64encode(png).decode()
        return f'{made}<img alt="the reference mapping" src="data:image/png;base64,{data}">'

    def _repr_png_(self) -> bytes | None:
        """The reference mapping on the mesh, if it can be drawn; named, as no mapping draws."""
        png: bytes | None = resolve_name("loihi_gym.drawing.cell_picture:reference_png")(self)
        return png

    def _summary(self) -> str:
        neurons, cores = sum(self.network.widths), self.topology.n_cores
        chip = one_line(self.chip.name)
        return f"{self.n_layers} layers of {neurons:,} neurons on {chip}, {cores:,} cores"

    @cached_property
    def digest(self) -> str:
        """Hash of all that decides a measurement; not of names and sources."""
        return problem_digest(
            self.network, self.activity, self.inputs, self.chip, self.reference, self.alternatives
        )

    @cached_property
    def reference_mapping(self) -> Mapping:
        """The standard heuristic's mapping that reductions are measured against.

        Raises:
            UnknownNameError: if no heuristic has the name `reference`.
            IllegalMappingError: if the network does not fit on the chip that way.
        """
        return heuristic(self, self.reference)

    def with_reference(self, name: str) -> "Problem":
        """The problem with another reference; what is counted of its loads is not counted again."""
        other = replace(self, reference=name)
        for kept in ("pieces", "loads", "work", "_holders", "_traffic", "_excess"):
            if kept in self.__dict__:
                other.__dict__[kept] = self.__dict__[kept]
        return other
