"""What runs SANA-FE: a process of its own that reads one job from stdin and prints its times.

SANA-FE is GPL software and a crash of its C++ ends the process, so nothing else imports it. A job
is one JSON object: the ``mesh`` in routers, ``cores_per_router``, ``costs_ns``, the ``timing``
model, and for each of the ``runs`` the scripts of the ``cores`` and their ``placement``. The last
line of stdout answers with, for each run, the step time, whether messages left in ascending order
of core, and how long it took.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ANSWER = "loihi-gym-answer "
"""Begins the line with the answer; SANA-FE prints lines of its own."""

Script = list[Any]
"""For each sending neuron: [silent ones before it, [[logical core, synapses], ...]]."""


def main() -> None:
    """Do the job on stdin."""
    job = json.load(sys.stdin)
    import sanafe

    job["neurons"] = max(size for run in job["runs"] for size in _sizes(run))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.yaml"
        path.write_text(architecture(job), encoding="utf-8")
        arch = sanafe.load_arch(str(path))
    answers = []
    for run in job["runs"]:
        net = _network(sanafe, arch, job, run)
        chip = sanafe.SpikingChip(arch)
        start = time.perf_counter()
        chip.load(net)
        result = chip.sim(1, timing_model=job["timing"], message_trace=job.get("trace", False))
        seconds = time.perf_counter() - start
        answers.append(
            {
                "step_ns": result["sim_time"] * 1e9,
                "ordered": _ordered(result["message_trace"]) if job.get("trace") else None,
                "seconds": seconds,
            }
        )
        del chip  # two at a time are refused, and a used one cannot be loaded again
    sys.stdout.flush()
    print(f"\n{ANSWER}{json.dumps(answers)}", flush=True)  # noqa: T201


def architecture(job: dict[str, Any]) -> str:
    """SANA-FE's description of the chip, in YAML (JSON is YAML)."""
    width, height = job["mesh"]
    costs = {name: float(f"{value}e-9") for name, value in job["costs_ns"].items()}
    free = dict.fromkeys(("energy_access_neuron", "energy_update_neuron", "energy_spike_out"), 0.0)
    hops = {
        f"latency_{way}_hop": costs["hop_x" if way in ("east", "west") else "hop_y"]
        for way in ("north", "east", "south", "west")
    }
    soma = {
        "latency_access_neuron": 0.0,
        "latency_update_neuron": costs["inactive"],
        "latency_spike_out": costs["spike_extra"],
    }
    core = {
        "name": f"core[0..{job['cores_per_router'] - 1}]",
        # SANA-FE keeps room for this many in every core of the chip.
        "attributes": {"buffer_position": "soma", "max_neurons_supported": job["neurons"]},
        "axon_in": [_unit("axon_in", energy_message_in=0.0, latency_message_in=costs["message"])],
        "synapse": [
            _unit(
                "synapse",
                model="current_based",
                energy_process_spike=0.0,
                latency_process_spike=costs["synapse"],
            )
        ],
        "dendrite": [_unit("dendrite", model="accumulator", energy_update=0.0, latency_update=0.0)],
        "soma": [_unit("soma", model="leaky_integrate_fire", **free, **soma)],
        "axon_out": [_unit("axon_out", energy_message_out=0.0, latency_message_out=costs["send"])],
    }
    tile = {
        "name": f"tile[0..{width * height - 1}]",
        "attributes": {**hops, **{name.replace("latency", "energy"): 0.0 for name in hops}},
        "core": [core],
    }
    described = {
        "name": "mesh",
        "attributes": {
            "topology": "mesh",
            "width": width,
            "height": height,
            "link_buffer_size": job["buffer"],
            "sync_model": "fixed",
            "latency_sync": 0.0,
        },
        "tile": [tile],
    }
    return json.dumps({"architecture": described})


def _unit(name: str, **attributes: object) -> dict[str, object]:
    return {"name": name, "attributes": attributes}


def _network(sanafe: Any, arch: Any, job: dict[str, Any], run: dict[str, Any]) -> Any:
    """A network whose neurons do in one step what the scripts say."""
    net, places = sanafe.Network(), arch.cores()
    height, ports = job["mesh"][1], job["cores_per_router"]
    groups = []
    sizes = _sizes(run)
    for index, size in enumerate(sizes):
        group = net.create_neuron_group(
            f"core{index:05d}",
            size,
            {"threshold": 1.0, "reset": 0.0, "force_update": True},
            default_synapse_hw_name="synapse",
            default_dendrite_hw_name="dendrite",
            soma_hw_name="soma",
        )
        groups.append(list(group.neurons))
        x, y, port = run["placement"][index]
        core = places[(x * height + y) * ports + port]  # SANA-FE counts tiles column by column
        for neuron in groups[-1]:
            neuron.map_to_core(core)
    for group, (neurons, _) in zip(groups, run["cores"], strict=True):
        at = 0
        for silent, messages in neurons:
            at += silent
            group[at].set_attributes(model_attributes={"bias": 2.0})
            for target, synapses in messages:
                for neuron in groups[target][:synapses]:
                    group[at].connect_to_neuron(neuron, {"weight": 0.0})
            at += 1
    return net


def _sizes(run: dict[str, Any]) -> list[int]:
    """Neurons of each core: those of its script, and one for each synapse of a message to it."""
    sizes = [sum(silent + 1 for silent, _ in neurons) + tail for neurons, tail in run["cores"]]
    for neurons, _ in run["cores"]:
        for _, messages in neurons:
            for target, synapses in messages:
                sizes[target] = max(sizes[target], synapses)
    return [max(size, 1) for size in sizes]


def _ordered(trace: list[Any]) -> bool:
    """Whether each neuron's messages left in ascending order of core.

    SANA-FE orders them by memory address, which need not be so.
    """
    sent: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for message in trace[0]:
        if not message["placeholder"]:
            source = (message["src_neuron_group_id"], message["src_neuron_offset"])
            sent.setdefault(source, []).append((message["mid"], message["dest_core_id"]))
    cores = [[core for _, core in sorted(messages)] for messages in sent.values()]
    return all(found == sorted(found) for found in cores)


if __name__ == "__main__":
    main()
