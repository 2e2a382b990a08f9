import fake_board
import numpy as np
from lava.magma.core.callback_fx import NxSdkCallbackFx


class _Profiler(NxSdkCallbackFx):
    def pre_run_callback(self, board=None, var_id_to_var_model_map=None):
        self.attached = True

    def post_run_callback(self, board=None, var_id_to_var_model_map=None):
        assert self.attached
        self.get_results(board)


class Loihi2ExecutionTime(_Profiler):
    def __init__(self, buffer_size=1024):
        self.buffer_size = buffer_size

    def get_results(self, board):
        assert board.steps <= self.buffer_size
        self.execution_time_per_step = np.array(board.step_us(), float)
        self.avg_time_per_step = self.execution_time_per_step.mean()


class Loihi2Activity(_Profiler):
    def get_results(self, board):
        places = list(board.places)
        if "stranger" in fake_board.FAULTS:
            places[-1] = (0, 119)
        self.chip_idx = np.array([chip for chip, _ in places])
        self.core_idx = np.array([core for _, core in places])
        self.syn_ops = np.arange(len(places)) * 100
        self.dendrite_updates = np.full(len(places), board.steps)
        self.spikes_in = np.arange(len(places))
        self.axon_out = np.arange(len(places)) + 1


if "nopower" not in fake_board.FAULTS:

    class Loihi2Power(_Profiler):
        def __init__(self, num_steps):
            self.num_steps = num_steps

        def get_results(self, board):
            assert board.steps == self.num_steps
            self.total_power = np.array([0.6, 0.8])
            self.static_total_power = 0.25
