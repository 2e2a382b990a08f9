"""Core counts to start a search from: any number of cores, shared out by the layers' work."""

import numpy as np

from .genome import Genes, Genome


def balanced_counts(genome: Genome, cores: int, sending: float = 1.0) -> Genes:
    """Core counts that add up to about `cores`: each further core goes to the busiest layer.

    Args:
        genome: Of the problem.
        cores: Logical cores wanted; as few as fit if that is more.
        sending: Weight of the sending side of a layer's work against its receiving side. A
            network stalls where receivers are slower than what is sent to them; below 1, more
            cores go to receivers.
    """
    counts, loads = genome.fewest.copy(), genome.problem.loads
    widths = np.array(genome.problem.network.widths)
    while counts.sum() < min(cores, genome.n_cores):
        work = np.zeros(genome.n_layers)
        for layer, k in enumerate(counts.tolist()):
            work[layer] = sending * loads.send_ps(layer, counts).max(axis=1).sum()
            if layer:
                received = loads.receivers(layer, k).receive_ps.max(axis=1).sum()
                work[layer] = max(work[layer], received)
        work[counts == widths] = -1.0
        if work.max() < 0:
            break
        counts[np.argmax(work)] += 1
    return counts if genome.fits(counts) else genome.fewest.copy()
