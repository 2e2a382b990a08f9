"""`Problem`: what is to be solved: a workload, and the mapping that results are compared with."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from ..arrays import IntArray
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
    """

    reference: str = "lava-default/row-major"
    inputs: IntArray | None = field(default=None, repr=False)

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
