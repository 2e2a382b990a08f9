"""`Bus`: passes a layer's messages on within the step and records them."""

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Bus(AbstractProcess):
    """The messages of a whole layer, gathered from its pieces.

    Args:
        width: Neurons of the layer.
        steps: Steps that will be run; the record is written in the last one.
        path: Where the record goes, ``.npy``, int32 (steps, width).
    """

    def __init__(self, width: int, steps: int, path: str) -> None:
        super().__init__(width=width, steps=steps, path=path)
        self.s_in = InPort(shape=(width,))
        self.s_out = OutPort(shape=(width,))


@implements(proc=Bus, protocol=LoihiProtocol)
@requires(CPU)
class BusModel(PyLoihiProcessModel):
    """Adds up what arrives: the pieces' messages, each zero outside its own rows."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: dict) -> None:
        super().__init__(proc_params)
        self.path, steps = proc_params["path"], proc_params["steps"]
        self.record = np.zeros((steps, proc_params["width"]), np.int32)

    def run_spk(self) -> None:
        """One time step."""
        messages = self.s_in.recv()
        self.record[self.time_step - 1] = messages
        if self.time_step == len(self.record):
            np.save(self.path, self.record, allow_pickle=False)
        self.s_out.send(messages)
