"""Whatever somebody calls a network, problem or activity is read, or refused with one line."""

import io
import os
import struct
import zipfile
from dataclasses import replace

import h5py
import nir
import numpy as np
import pytest

from loihi_gym.benchmarks.importing import import_problem, read_activity
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import load_problem, save_problem
from loihi_gym.network import load_network, random_mask
from loihi_gym.network.readers import read_network
from tests.network.test_files import arrays, seeded
from tests.toys import toy_problem

HUGE = (1 << 20, 1 << 20)
SAMPLES = np.ones((9, 3))
READ = {
    "network": (load_network, ".npz"),
    "problem": (load_problem, ".npz"),
    "activity": (read_activity, ".npy"),
    **{end: (lambda path: read_network(path, SAMPLES), end) for end in (".npz", ".net", ".nir")},
}


def refused(read, path) -> str:
    """The line with which a file is refused."""
    with pytest.raises(LoihiGymError) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) <= 500
    return message


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="needs the extra 'train'")


@pytest.mark.parametrize(("read", "ending"), READ.values(), ids=READ.keys())
def test_a_path_to_no_file_is_refused(tmp_path, read, ending):
    (tmp_path / f"folder{ending}").mkdir()
    os.mkfifo(tmp_path / f"pipe{ending}")
    assert "directory" in refused(read, tmp_path / f"folder{ending}")
    assert "device" in refused(read, tmp_path / f"pipe{ending}")
    assert "No such file" in refused(read, tmp_path / "none" / f"a{ending}")
    assert "null" in refused(read, f"{tmp_path}/a\0b{ending}")
    assert "name" in refused(read, tmp_path / f"{'a' * 3000}{ending}")
    assert "?[31m" in refused(read, tmp_path / f"\x1b[31m\n{ending}")


def member(shape: str, body: bytes = b"", version: int = 1) -> bytes:
    """The bytes of an .npy file whose header says what it likes."""
    header = f"{{'descr': '|i1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


MEMBERS = {
    "nested": member("[" * 9_000),
    "nested deeper": member("[" * 50_000),
    "nested, version 2": member("(" * 50_000, version=2),
    "of a terabyte": member("(1099511627776,)"),
    "of more than there is": member("(4611686018427387904,)"),
    "negative": member("(-3,)"),
    "cut off": member("(100,)", b"abc"),
    "no array": b"hello",
}


@pytest.mark.parametrize("content", MEMBERS.values(), ids=MEMBERS.keys())
def test_an_array_that_lies_is_refused(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    refused(read_activity, tmp_path / "a.npy")
    holder = io.BytesIO()
    np.savez(holder, **arrays(widths=None))
    with zipfile.ZipFile(holder, "a") as archive:
        archive.writestr("widths.npy", content)
    (tmp_path / "a.npz").write_bytes(holder.getvalue())
    for name in ("network", "problem", ".npz"):
        refused(READ[name][0], tmp_path / "a.npz")


def swollen(data: bytes) -> bytes:
    """An archive whose first member says that it unpacks to 4 GB."""
    at = data.index(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", 0xF000_0000) + data[at + 28 :]


def test_an_archive_that_unpacks_to_more_than_memory_is_refused(tmp_path, torch):
    holder = io.BytesIO()
    np.savez_compressed(holder, **arrays())
    (tmp_path / "a.npz").write_bytes(swollen(holder.getvalue()))
    for name in ("network", "problem", ".npz"):
        assert "at most" in refused(READ[name][0], tmp_path / "a.npz")
    torch.save({"weight": torch.ones(2, 3)}, tmp_path / "a.pt")
    (tmp_path / "a.pt").write_bytes(swollen((tmp_path / "a.pt").read_bytes()))
    assert "at most" in refused(READ[".npz"][0], tmp_path / "a.pt")


SPOILT = {
    "mask to draw": (seeded(widths=np.array([1 << 14, 1 << 14]), weights_1=np.ones(0, np.int8))),
    "widths one number": arrays(widths=np.array(3)),
    "float widths": arrays(widths=np.array([3.5, 2])),
    "widths of text": arrays(widths=np.array(["3", "2"])),
    "many widths": arrays(widths=np.full(100_000, 1 << 21)),
    "endless exponent": arrays(exponents=np.array([10**15])),
    "exponents one number": arrays(exponents=np.array(0)),
    "thresholds beyond": arrays(thresholds=np.array([2**63 - 1])),
    "neuron an essay": arrays(neuron="\x1b[31m" + "a" * 100_000),
    "versions": arrays(version=np.array([1, 1])),
    "inputs one number": arrays(inputs=np.array(1)),
    "indices one number": arrays(indices_1=np.array(1)),
    "rows of fractions": arrays(indptr_1=np.array([0, 2.5, 4])),
    "biases of text": arrays(biases_1=np.array(["a", "b"])),
    "decays one number": arrays(decays=np.array(3)),
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT.keys())
def test_an_array_of_another_kind_is_refused(tmp_path, content):
    np.savez(tmp_path / "a.npz", **content)
    refused(load_network, tmp_path / "a.npz")
    refused(READ[".npz"][0], tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31mred", "a\u202eb", "\ud800", "x" * 201])
def test_a_name_that_could_not_be_shown_is_refused(tmp_path, name):
    save_problem(tmp_path / "a.npz", replace(toy_problem(), name=name))
    assert "is not 1 to 200 printable characters" in refused(load_problem, tmp_path / "a.npz")


def test_a_name_that_is_markup_is_a_name(tmp_path):
    save_problem(tmp_path / "a.npz", replace(toy_problem(), name="[red]x[/bold] \u00e9"))
    assert load_problem(tmp_path / "a.npz").name == "[red]x[/bold] \u00e9"


def test_an_imported_problem_can_be_loaded_whatever_its_file_is_called(tmp_path):
    np.savez(tmp_path / "a\n\x1b[31mb.npz", weights_1=np.ones((4, 3)))
    problem, _ = import_problem(tmp_path / "a\n\x1b[31mb.npz", SAMPLES, "loihi2-16", 2)
    assert problem.name == "a ?[31mb"
    save_problem(tmp_path / "b.npz", problem)
    assert load_problem(tmp_path / "b.npz").digest == problem.digest


def outside(file):
    with h5py.File(file.filename + "x", "w") as other:
        other["weight"] = np.ones((2, 3))
    return file.filename + "x"


def virtual(file):
    layout = h5py.VirtualLayout(shape=(2, 3), dtype="f4")
    layout[:] = h5py.VirtualSource(outside(file), "weight", shape=(2, 3))
    file.create_virtual_dataset("layer/0/weight", layout)


HDF5 = {
    "huge": lambda f: f.create_dataset("layer/0/weight", HUGE, "f4", chunks=(64, 64)),
    "elsewhere": lambda f: f.__setitem__("layer/0/weight", h5py.ExternalLink(outside(f), "weight")),
    "virtual": virtual,
    "soft": lambda f: f.__setitem__("layer/0/weight", h5py.SoftLink("/simulation")),
    "endless": lambda f: f.__setitem__("layer/0/layer", f["layer"]),
    "text": lambda f: f.__setitem__("layer/0/weight", "many"),
    "nothing": lambda f: f.__setitem__("layer/0/weight", h5py.Empty("f4")),
    "control characters": lambda f: f.__setitem__("layer/\x1b[31m\n", h5py.SoftLink("/a")),
}


@pytest.mark.parametrize("spoil", HDF5.values(), ids=HDF5.keys())
@pytest.mark.parametrize("ending", [".net", ".nir"])
def test_hdf5_that_reaches_out_or_swells_is_refused(tmp_path, spoil, ending):
    with h5py.File(tmp_path / f"a{ending}", "w") as file:
        file["layer/0/type"] = "dense"
        spoil(file)
    refused(READ[".net"][0], tmp_path / f"a{ending}")


@pytest.mark.parametrize("change", [{"vThMant": "much"}, {"vThMant": -1}, {"iDecay": 5000}])
def test_values_of_another_kind_in_net_are_refused(tmp_path, change):
    neuron = {"type": "CUBA", "iDecay": 1, "vDecay": 1, "vThMant": 1, **change}
    with h5py.File(tmp_path / "a.net", "w") as file:
        file["layer/0/type"] = "dense"
        file["layer/0/weight"] = np.ones((2, 3))
        for key, value in neuron.items():
            file[f"layer/0/neuron/{key}"] = value
    refused(READ[".net"][0], tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net", "a") as file:
        file["layer/0/bias"] = 1e12
    refused(READ[".net"][0], tmp_path / "a.net")


@pytest.mark.parametrize("weight", [np.full((2, 3), np.nan), np.ones((0, 3))])
def test_values_of_another_kind_in_nir_are_refused(tmp_path, weight):
    nodes = {"a": nir.Linear(weight=weight), "\x1b[1mb": nir.Threshold(np.ones(len(weight)))}
    graph = nir.NIRGraph(nodes=nodes, edges=[("a", "\x1b[1mb")], type_check=False)
    nir.write(tmp_path / "a.nir", graph)
    refused(READ[".nir"][0], tmp_path / "a.nir")


def test_values_of_another_kind_in_pytorch_are_refused(tmp_path, torch):
    for state in (
        {"weight": torch.ones(1).expand(*HUGE)},
        {"weight": torch.ones(2, 3), "bias": torch.ones(5)},
        {"weight": torch.ones(2, 3), "mask": torch.ones(5)},
        {"weight": torch.ones(2, 3), "bias": 3},
        {"weight": torch.ones(2, 3), "bias": torch.full((2,), 1e30)},
        {"weight": torch.ones(2, 3).to_sparse()},
        {"weight": torch.ones(0, 3)},
        {"\x1b[31m.weight": torch.ones(3)},
    ):
        torch.save(state, tmp_path / "a.pt")
        refused(READ[".npz"][0], tmp_path / "a.pt")


@pytest.mark.parametrize("n_pre", [7, 3000])
def test_a_mask_drawn_in_blocks_is_one_drawn_at_once(n_pre):
    keys = np.random.PCG64(5).random_raw(800 * n_pre).reshape(800, n_pre)
    whole = np.sort(np.argsort(keys, axis=1, kind="stable")[:, :5], axis=1)
    assert (random_mask(5, 800, n_pre, 5) == whole).all()
