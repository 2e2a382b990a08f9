#!/bin/sh
# Replays the whole board from a clean checkout with each Python named, in throw-away environments,
# and fails unless results, README and page come out the same to the byte.
#   leaderboard/replay.sh python3.11 python3.12 python3.13
# BOARD=DIR replays another board.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
board=${BOARD:-$root/leaderboard}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- python3.11 python3.12 python3.13
git -C "$root" archive --format=tar HEAD | (mkdir "$work/checkout" && tar -x -C "$work/checkout")
for python in "$@"; do
    "$python" -m venv "$work/venv"
    "$work/venv/bin/python" -m pip install --quiet --quiet -c "$root/constraints.txt" "$work/checkout"
    "$work/venv/bin/python" --version
    (cd "$work" && "$work/venv/bin/loihi-gym" leaderboard build --check --board "$board")
    rm -rf "$work/venv"
done
