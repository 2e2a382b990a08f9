import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

from loihi_gym.errors import NetworkFileError, NetworkImportError
from loihi_gym.network import classify, run
from loihi_gym.network.readers import read_network
from loihi_gym.network.readers.torch_sequential import read_sequential

torch = pytest.importorskip("torch", reason="needs the extra 'train'")
nn = torch.nn


@pytest.fixture(scope="module")
def digits():
    from tools.digits import load_digits

    return load_digits(pool=2)


@pytest.fixture(scope="module")
def trained(digits):
    """A pruned classifier of digits, trained for a few seconds; (model, float test images)."""
    from torch.nn.utils import prune

    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = nn.Sequential(
        nn.Linear(196, 64),
        nn.ReLU(),
        nn.Dropout(0.1),
        nn.Linear(64, 48),
        nn.ReLU(),
        nn.Linear(48, 10),
    )
    for module in model:
        if isinstance(module, nn.Linear):
            prune.random_unstructured(module, "weight", amount=0.5)
    images = torch.from_numpy(digits.train_images.astype(np.float32)) / 127
    labels = torch.from_numpy(digits.train_labels)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(6):
        for chosen in torch.randperm(len(images)).split(100):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images[chosen]), labels[chosen]).backward()
            optimiser.step()
    torch.set_num_threads(threads)
    return model.eval(), digits.test_images.astype(np.float32) / 127


def test_a_trained_network_keeps_its_accuracy(trained, digits):
    model, images = trained
    with torch.no_grad():
        float_guesses = model(torch.from_numpy(images)).argmax(dim=1).numpy()
    imported = read_sequential(model, images)
    guesses = classify(imported.network, imported.inputs)
    accuracy = (guesses == digits.test_labels).mean()
    assert accuracy > 0.85
    assert abs(accuracy - (float_guesses == digits.test_labels).mean()) < 0.01
    assert (guesses == float_guesses).mean() > 0.98
    assert imported.network.biases
    assert imported.network.widths == (196, 64, 48, 10)
    assert "rounded to int8" in imported.notes[-1]
    # Pruned to half: a synapse is where the mask is, whatever its weight.
    assert imported.network.densities == (0.5, 0.5, 0.5)


def test_activity_is_that_of_the_float_network(trained):
    model, images = trained
    imported = read_sequential(model, images)
    sent = run(imported.network, imported.inputs)
    with torch.no_grad():
        hidden = torch.relu(model[0](torch.from_numpy(images))).numpy()
    mine = sent[1][1:] > 0  # a time step later
    assert (mine == (hidden[:-1] > 0)).mean() > 0.98


@pytest.mark.parametrize("kind", ["model", "state"])
def test_a_file_reads_as_the_model(trained, tmp_path, kind):
    model, images = trained
    path = tmp_path / "a.pt"
    torch.save(model if kind == "model" else model.state_dict(), path)
    one, other = read_network(path, images), read_sequential(model, images)
    for mine, theirs in zip(one.network.weights, other.network.weights, strict=True):
        assert (mine != theirs).nnz == 0
        assert mine.nnz == theirs.nnz
    assert one.network.exponents == other.network.exponents
    assert ("ReLU is assumed" in one.notes[0]) == (kind == "state")


def test_whole_inputs_are_taken_as_they_are():
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU())
    inputs = np.arange(8).reshape(2, 4)
    imported = read_sequential(model, inputs)
    assert (imported.inputs == inputs).all()
    assert imported.network.biases == ()


def test_without_a_mask_zeros_are_no_synapses():
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[0.0, 1.0, -2.0], [0.0, 0.0, 1e-4]]))
    network = read_sequential(model, np.ones((3, 3))).network
    assert network.weights[0].toarray().tolist() == [[0, 64, -127], [0, 0, 0]]
    assert network.synapses == 3


def test_a_module_that_stands_twice_is_two_layers():
    linear, relu = nn.Linear(3, 3), nn.ReLU()
    shared = read_sequential(nn.Sequential(linear, relu, linear, relu), np.ones((4, 3)))
    apart = nn.Sequential(linear, relu, copy.deepcopy(linear), nn.ReLU())
    assert shared.network.widths == (3, 3, 3)
    wanted = run(read_sequential(apart, np.ones((4, 3))).network, np.ones((4, 3), int))[-1]
    assert (run(shared.network, np.ones((4, 3), int))[-1] == wanted).all()


REFUSED = {
    "conv": ([nn.Conv2d(1, 2, 3)], "layer 0 (Conv2d): weights (2, 1, 3, 3) in 1 groups do not fit"),
    "max pooling": ([nn.Linear(4, 3), nn.MaxPool1d(3)], "layer 1 (MaxPool1d): supported are"),
    "other activation": ([nn.Linear(4, 3), nn.Tanh()], "layer 1 (Tanh)"),
    "no statistics": (
        [nn.Linear(4, 3), nn.BatchNorm1d(3, track_running_stats=False), nn.ReLU()],
        "layer 1 (BatchNorm1d): it keeps no running mean",
    ),
    "relu first": ([nn.ReLU(), nn.Linear(4, 3)], "layer 0 (ReLU)"),
    "broken chain": ([nn.Linear(4, 3), nn.ReLU(), nn.Linear(5, 2)], "layer 2 (Linear): it takes 5"),
    "nothing": ([], "has no Linear layer"),
}


@pytest.mark.parametrize(("modules", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_supported_is_named(modules, message):
    with pytest.raises(NetworkImportError) as caught:
        read_sequential(nn.Sequential(*modules), np.ones((9, 4)))
    assert message in str(caught.value)


def test_foreign_modules_in_a_file_are_named_and_not_run(tmp_path):
    path = tmp_path / "a.pt"
    torch.save(nn.Sequential(nn.LSTM(4, 3)), path)
    with pytest.raises(NetworkImportError, match="LSTM"):
        read_network(path, np.ones((9, 4)))


class Evil:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("how", ["torch", "pickle", "text"])
def test_a_file_that_would_run_code_is_refused(tmp_path, capsys, how):
    path = tmp_path / "a.pt"
    if how == "torch":
        torch.save(Evil(), path)
    else:
        path.write_bytes(pickle.dumps(Evil()) if how == "pickle" else b"hello")
    with pytest.raises((NetworkImportError, NetworkFileError)) as caught:
        read_network(path, np.ones((9, 4)))
    assert "executed" not in capsys.readouterr().out
    assert "\n" not in str(caught.value)


def test_state_dicts_of_other_layers_are_refused(tmp_path):
    path = tmp_path / "a.pt"
    torch.save(nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).state_dict(), path)
    with pytest.raises(NetworkImportError, match=r"layer 1 \(BatchNorm\): a state dict"):
        read_network(path, np.ones((9, 4)))
    torch.save({"a": 3}, path)
    with pytest.raises(NetworkImportError, match="'a' holds a int, not numbers"):
        read_network(path, np.ones((9, 4)))
    torch.save([1, 2], path)
    with pytest.raises(NetworkImportError, match="holds a list"):
        read_network(path, np.ones((9, 4)))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(NetworkFileError, match="No such file"):
        read_network(tmp_path / "a.pt", np.ones((9, 4)))


def test_a_file_is_read_where_nothing_else_has_imported_torch(tmp_path):
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    torch.save(model.state_dict(), tmp_path / "a.pt")
    np.save(tmp_path / "x.npy", np.ones((2, 4), np.float32))
    code = (
        "import sys, numpy; from loihi_gym.network.readers import read_network; "
        "print(read_network(sys.argv[1], numpy.load(sys.argv[2])).network.widths)"
    )
    paths = [str(tmp_path / "a.pt"), str(tmp_path / "x.npy")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True)
    assert "3" in done.stdout, done.stderr
