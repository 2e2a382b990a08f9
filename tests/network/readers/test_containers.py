"""What weights come in: safetensors, checkpoints, pruned models, pointers of Git LFS."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.network.readers import READERS, read_network

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
nn = torch.nn
INPUTS = np.abs(np.random.default_rng(0).normal(0, 1, (20, 6)))


def mlp() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))


def same(path: Path, model: nn.Sequential) -> tuple[str, ...]:
    """The notes of a file that must hold the model."""
    torch.save(model, path.with_name("wanted.pt"))
    wanted = read_network(path.with_name("wanted.pt"), INPUTS).network
    found = read_network(path, INPUTS)
    for mine, theirs in zip(found.network.weights, wanted.weights, strict=True):
        assert (mine != theirs).nnz == 0
        assert mine.nnz == theirs.nnz
    return found.notes


def test_safetensors_are_state_dicts(tmp_path):
    arrays = {key: value.numpy() for key, value in mlp().state_dict().items()}
    safetensors.numpy.save_file(arrays, tmp_path / "a.safetensors")
    assert "in the order 0, 2" in same(tmp_path / "a.safetensors", mlp())[0]


def test_the_halves_of_floats_are_read(tmp_path):
    rounded = mlp().bfloat16()
    safetensors.torch.save_file(rounded.state_dict(), tmp_path / "a.safetensors")
    same(tmp_path / "a.safetensors", rounded.float())


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 40])
def test_a_file_that_is_no_safetensors_is_refused(tmp_path, content):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(NetworkFileError, match="not a safetensors file"):
        read_network(tmp_path / "a.safetensors", INPUTS)


def checkpoints() -> dict[str, dict]:
    """As Lightning, a training loop and a saved module lay theirs out."""
    state = mlp().state_dict()
    prefixed = {f"model.{key}": value for key, value in state.items()}
    optimiser = torch.optim.Adam(mlp().parameters()).state_dict()
    return {
        "Lightning": {
            **{"epoch": 3, "global_step": 9, "pytorch-lightning_version": "2.4.0"},
            **{"state_dict": prefixed, "optimizer_states": [optimiser], "lr_schedulers": []},
            "hyper_parameters": {"width": 5},
        },
        "training loop": {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": optimiser},
        "module": {"model": mlp(), "accuracy": 0.9},
        "nested": {"state_dict": {"model": state, "ema": 0.9}},
    }


@pytest.mark.parametrize("name", checkpoints())
@pytest.mark.parametrize("ending", [".pt", ".ckpt"])
def test_checkpoints_are_opened(tmp_path, name, ending):
    torch.save(checkpoints()[name], tmp_path / f"a{ending}")
    same(tmp_path / f"a{ending}", mlp())


PRUNED = {
    "l1 again and again": lambda m, p: [p.l1_unstructured(m, "weight", 0.3) for _ in range(3)],
    "rows": lambda m, p: p.ln_structured(m, "weight", 0.4, n=2, dim=0),
    "random rows": lambda m, p: p.random_structured(m, "weight", 0.4, dim=0),
    "l1, then random": lambda m, p: [
        p.l1_unstructured(m, "weight", 0.2),
        p.random_unstructured(m, "weight", 0.2),
    ],
    "biases": lambda m, p: p.l1_unstructured(m, "bias", 0.4),
    "nothing": lambda m, p: p.identity(m, "weight"),
}


@pytest.mark.parametrize("prune_by", PRUNED.values(), ids=PRUNED.keys())
@pytest.mark.parametrize("whole", [True, False])
def test_pruned_models_keep_the_synapses_of_their_masks(tmp_path, prune_by, whole):
    from torch.nn.utils import prune

    torch.manual_seed(1)
    model = mlp()
    prune_by(model[0], prune)
    torch.save(model if whole else model.state_dict(), tmp_path / "a.pt")
    network = read_network(tmp_path / "a.pt", INPUTS).network
    mask = getattr(model[0], "weight_mask", torch.ones(5, 6)).bool().numpy()
    assert network.synapses == mask.sum() + 20
    masked = np.zeros((5, 6), bool)
    rows = np.repeat(np.arange(5), np.diff(network.weights[0].indptr))
    masked[rows, network.weights[0].indices] = True
    assert (masked == mask).all()
    if hasattr(model[0], "bias_mask"):
        silent = ~model[0].bias_mask.bool().numpy()
        assert silent.any()
        assert not network.biases[0][silent].any()


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:ae1c15f2\nsize 1234\n"


@pytest.mark.parametrize("ending", sorted(READERS))
def test_a_pointer_of_git_lfs_is_said_to_be_one(tmp_path, ending):
    (tmp_path / f"a{ending}").write_bytes(POINTER)
    with pytest.raises(NetworkImportError, match="a pointer of Git LFS, not the file itself"):
        read_network(tmp_path / f"a{ending}", INPUTS)


def test_a_network_of_lava_dl_says_how_to_export_it(tmp_path):
    state = {
        "blocks.0.synapse.weight_g": torch.ones(5, 1, 1, 1, 1),
        "blocks.0.synapse.weight_v": torch.ones(5, 6, 1, 1, 1),
        "blocks.0.neuron.current_decay": torch.ones(1),
    }
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(NetworkImportError, match=r"network of lava-dl.*export_hdf5"):
        read_network(tmp_path / "a.pt", INPUTS)


def test_a_layer_table_is_for_state_dicts(tmp_path):
    from loihi_gym.network.readers.layer_table import LayerTable

    np.savez(tmp_path / "a.npz", weights_1=np.ones((3, 6)))
    with pytest.raises(NetworkImportError, match="--layers is for state dicts"):
        read_network(tmp_path / "a.npz", INPUTS, table=LayerTable(()))


def test_a_small_cnn_goes_from_file_to_mapping(tmp_path, capsys):
    from loihi_gym.cli import main

    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 10)),
    ).eval()
    torch.save(model, tmp_path / "cnn.pt")
    images = np.abs(np.random.default_rng(0).normal(0, 1, (12, 1, 12, 12)))
    np.save(tmp_path / "x.npy", images.astype(np.float32))
    problem, found = str(tmp_path / "p.npz"), str(tmp_path / "run")
    given = ("--activity", str(tmp_path / "x.npy"), "--chip", "loihi2-16")
    for arguments in (
        ("import", str(tmp_path / "cnn.pt"), "-o", problem, *given),
        ("info", problem),
        ("solve", "random", problem, "--budget", "4", "--out", found),
        ("export", f"{found}/mapping.json", "-o", str(tmp_path / "cores.csv")),
        ("render", problem, f"{found}/mapping.json", "-o", str(tmp_path / "mesh.png")),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert "144-144-128-16-10" in out
    assert "layer 3 is the product of 5 (AvgPool2d), 7 (Linear)" in out
    env = gymnasium.make("LoihiPlace-v0", benchmark=problem)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    assert (tmp_path / "mesh.png").stat().st_size
