import fake_board
import numpy as np
from lava.magma.core.callback_fx import NxSdkCallbackFx

assert fake_board


class Loihi2HWProfiler(NxSdkCallbackFx):
    def __init__(self, run_cfg):
        self._run_cfg = run_cfg

    def execution_time_probe(self, num_steps, t_start=1, t_end=None, dt=1, buffer_size=1024):
        self._num_steps = num_steps
        self._run_cfg.callback_fxs.append(self)

    def pre_run_callback(self, board=None, var_id_to_var_model_map=None):
        pass

    def post_run_callback(self, board=None, var_id_to_var_model_map=None):
        assert board.steps == self._num_steps
        self.execution_time = np.array(board.step_us(), float) * 1e-6
