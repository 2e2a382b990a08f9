import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loihi_gym import benchmark_names
from loihi_gym.backends import Bound
from loihi_gym.envs import observation
from loihi_gym.envs.objective import latency
from loihi_gym.envs.observation import (
    EDGE_FEATURES,
    IMAGE_CHANNELS,
    NODE_FEATURES,
    Layout,
)
from loihi_gym.envs.observation_kernel import CORE_FEATURES, fill
from loihi_gym.envs.task import EpisodeTask
from loihi_gym.errors import LoihiGymError
from loihi_gym.mapping import random_mapping
from tests.envs.rollouts import FORMS, make, slack_problem, walk
from tests.toys import bundled_problem, examples, silent_problem, toy_chip, toy_problem

PROBLEMS = [
    slack_problem(),
    silent_problem(),
    toy_problem(chip=toy_chip(chips=(2, 1), routers=(3, 2), coreless=((0, 0),))),
    bundled_problem("mlp-xs", "loihi2-16"),
]
TASKS = [EpisodeTask(problem, Bound(problem), latency, 16) for problem in PROBLEMS]


def buffer_of(layout, measured, cursor=-1, progress=0.5, relative=1.0, best=0.8):
    buffer = np.full(layout.size, np.nan, np.float32)
    scalars = (measured.latency_ps, cursor, progress, relative, best)
    fill(measured.partition.table, measured.occupant, measured.busy_ps, *scalars, buffer)
    return buffer


def observe_reference(
    layout, table, placement, busy_ps, latency_ps, cursor, progress, relative, best
):
    """The slow, obvious twin of `fill`, as the Dict observation."""

    def on_mesh(values):
        cores = np.zeros(layout.mesh.n_cores, np.float32)
        cores[placement] = values
        return cores

    def part(time_ps):
        return np.minimum(time_ps / latency_ps, 1.0)

    logical = np.arange(len(placement))
    own = table.layer[cursor] if cursor >= 0 else -1
    scalars = [progress, relative / (1 + relative), best / (1 + best)]
    return {
        "layer": on_mesh((table.layer + 1) / table.n_layers),
        "free": 1 - on_mesh(1.0),
        "own": on_mesh(table.layer == own),
        "cursor": on_mesh(logical == cursor),
        "send": on_mesh(part(table.send_ps)),
        "receive": on_mesh(part(table.receive_ps)),
        "messages_out": on_mesh(table.messages_out),
        "messages_in": on_mesh(table.messages_in),
        "links": part(busy_ps.sum(axis=1)).astype(np.float32),
        "layer_cores": table.layers[0].astype(np.float32),
        "layer_send": part(table.layers[1]).astype(np.float32),
        "layer_receive": part(table.layers[2]).astype(np.float32),
        "scalars": np.array([*scalars, on_mesh(1.0).mean(dtype=np.float64)], np.float32),
    }


@examples(100)
@given(
    st.sampled_from(TASKS),
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_kernel_fills_what_its_twin_does(task, seed, progress, relative, best):
    rng = np.random.default_rng(seed)
    measured = task.evaluate(random_mapping(task.problem, rng))
    layout = Layout(task.problem.topology, 16)
    cursor = int(rng.integers(-1, len(measured.placement)))
    seen = layout.flat(buffer_of(layout, measured, cursor, progress, relative, best))
    expected = observe_reference(
        layout,
        measured.partition.table,
        measured.placement,
        measured.busy_ps,
        measured.latency_ps,
        *(cursor, progress, relative, best),
    )
    assert list(seen) == list(expected)
    for name, values in expected.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(seen[name], values, err_msg=name)
    assert seen in layout.space("flat")


@pytest.mark.parametrize(("env_id", "form"), FORMS)
def test_every_observation_of_an_episode_is_in_its_space(env_id, form):
    env = make(env_id, observation=form, start="random")
    for result in walk(env, 20):
        assert result[0] in env.observation_space


def test_shapes_follow_from_the_chip_alone():
    spaces = [
        make("LoihiPlace-v0", benchmark=p).observation_space
        for p in (slack_problem(0), slack_problem(1), bundled_problem("mlp-xs", "loihi2-16"))
    ]
    assert spaces[0] == spaces[1] == spaces[2]


def test_the_tables_list_what_there_is():
    text = observation.__doc__
    layout = Layout(PROBLEMS[0].topology, 16)
    for name in layout.parts:
        assert f"| `{name}` |" in text
    assert f"({len(IMAGE_CHANNELS)}, height, width)" in text
    assert f"(N, {len(NODE_FEATURES)})" in text
    assert f"(E, {len(EDGE_FEATURES)})" in text


def test_image_pixels():
    env = make("LoihiPlace-v0", benchmark="mlp-deep", observation="image")
    image, _ = env.reset(seed=0)
    assert image.shape == (17, 40, 64)
    assert image.dtype == np.uint8
    layout = env.layout
    flat = layout.flat(buffer_of(layout, env.state.measured, 0, 0.0, 1.0, 1.0))
    mesh, scale = layout.mesh, 4
    for core in (0, 1, 2, 3, 60, 151):
        row = (mesh.height - 1 - mesh.core_y[core]) * 2 + mesh.core_port[core] // 2
        column = mesh.core_x[core] * 2 + mesh.core_port[core] % 2
        square = image[:, row * scale : (row + 1) * scale, column * scale : (column + 1) * scale]
        for channel, name in enumerate(CORE_FEATURES):
            assert (square[channel] == round(float(flat[name][core]) * 255)).all(), (core, name)
        links = flat["links"][4 * mesh.core_router[core] :][:4]
        for channel, link in enumerate(links, 8):
            assert (square[channel] == round(float(link) * 255)).all()
        assert (square[12] == 255).all()
    assert (image[12] == 0).sum() == 2 * 4 * 16  # two routers without cores
    assert [image[13 + i].min() for i in range(4)] == [image[13 + i].max() for i in range(4)]


def test_graph_nodes_and_edges():
    problem = bundled_problem("mlp-xs", "loihi2-16")
    env = make("LoihiPlace-v0", benchmark=problem, observation="graph")
    graph, _ = env.reset(seed=0)
    mapping, mesh = env.mapping, env.layout.mesh
    traffic = problem.traffic(mapping.cores_per_layer)
    assert graph.nodes.shape == (mapping.n_logical_cores, 13)
    column = NODE_FEATURES.index("x")
    expected = mesh.core_x[mapping.placement] / (mesh.width - 1)
    np.testing.assert_allclose(graph.nodes[:, column], expected, rtol=1e-6)
    cursor = graph.nodes[:, NODE_FEATURES.index("cursor")]
    assert cursor.tolist() == [1.0] + [0.0] * (mapping.n_logical_cores - 1)
    total = {}
    for source in range(traffic.n_logical_cores):
        for way in range(traffic.fan_out[source]):
            messages = traffic.pair_messages[traffic.pair_first[source] + way].sum()
            if messages:
                total[source, int(traffic.next_core[source]) + way] = int(messages)
    assert [tuple(link) for link in graph.edge_links.tolist()] == list(total)
    most = max(total.values())
    np.testing.assert_allclose(graph.edges[:, 0], [m / most for m in total.values()], rtol=1e-6)
    for (source, target), hops in zip(total, graph.edges[:, 1], strict=True):
        a, b = int(mapping.placement[source]), int(mapping.placement[target])
        steps = len(mesh.route(a, b)) - 2
        assert hops == pytest.approx(steps / (mesh.width + mesh.height - 2))


DEEPEST = "halapoint-8chip"
"""The only bundled benchmark of more layers than there is room for by default."""


def test_the_deepest_benchmark_says_how_much_room_it_needs():
    with pytest.raises(LoihiGymError, match="pass max_layers=73 or more"):
        make("LoihiPlace-v0", benchmark=DEEPEST)
    env = make("LoihiPlace-v0", benchmark=DEEPEST, max_layers=73)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space


@pytest.mark.parametrize("name", [name for name in benchmark_names() if name != DEEPEST])
def test_every_bundled_benchmark_fits_the_default_shapes(name):
    env = make("LoihiPlace-v0", benchmark=name)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
