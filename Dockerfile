# loihi_gym with pictures, the comparison and the game; no torch.
#
#   docker build -t loihi-gym .
#   docker run --rm -v "$PWD:/work" loihi-gym solve map mlp-xs --budget 300 -o mapping.json
#
# It runs as a user without rights, and needs nothing that can be written but the folder /work: with
# `--read-only` kernels are compiled anew for each command, about 10 seconds, unless NUMBA_CACHE_DIR
# names a folder that can be. `--user "$(id -u)"` gives files that are written to you.
FROM python:3.12-slim AS build
WORKDIR /source
COPY pyproject.toml hatch_build.py README.md LICENSE CHANGELOG.md CITATION.cff ./
COPY loihi_gym loihi_gym
COPY baselines baselines
RUN python -m pip install --no-cache-dir build && python -m build --wheel --outdir /wheel

FROM python:3.12-slim
COPY constraints.txt /tmp/constraints.txt
RUN --mount=type=bind,from=build,source=/wheel,target=/wheel \
    python -m pip install --no-cache-dir -c /tmp/constraints.txt "$(echo /wheel/*.whl)[compare,server]"
RUN useradd --create-home loihi && mkdir /work && chown loihi /work
USER loihi
WORKDIR /work
ENTRYPOINT ["loihi-gym"]
CMD ["--help"]
