"""Errors a user can cause: each message is one line that names the thing and what to do."""

LONGEST_MESSAGE = 400
"""Characters of a message that are shown: enough for what is wrong and what to do about it."""
LONGEST_LINE = 10_000
"""Characters of any other line that are shown."""

TORCH = ("rl", "train")
"""Extras that bring torch, which on Linux comes with CUDA: gigabytes."""


class LoihiGymError(ValueError):
    """Base of all errors that bad input causes; the command line prints it and exits with 2."""


class ChipFileError(LoihiGymError):
    """A chip file is malformed, or no chip has that name."""


class NetworkFileError(LoihiGymError):
    """A network file is missing, corrupt or of another version."""


class NetworkImportError(LoihiGymError):
    """Another tool's network has something that cannot be mapped; names the layer and why."""


class SilentNetworkError(LoihiGymError):
    """A layer sends nothing in the recorded steps, so that a search would learn nothing."""


class ProblemFileError(LoihiGymError):
    """A problem file is missing, corrupt or of another version."""


class MappingFileError(LoihiGymError):
    """A mapping file is missing or malformed."""


class BenchmarkError(LoihiGymError):
    """A generator URI is malformed, or one of its values is out of range."""


class IllegalMappingError(LoihiGymError):
    """A mapping violates at least one constraint of its problem."""


class DoesNotFitError(IllegalMappingError):
    """A heuristic's cut of a network does not fit on a chip that another cut may fit on."""


class BackendError(LoihiGymError):
    """A backend is not installed, does not fit the problem, or failed."""


class UnknownNameError(LoihiGymError):
    """No benchmark, backend, heuristic, objective or solver has that name."""


class RunError(LoihiGymError):
    """A search's directory is missing, taken, malformed or cannot be written."""


class SuiteError(LoihiGymError):
    """A suite's manifest is malformed, or no longer what the code computes."""


class SubmissionError(LoihiGymError):
    """A submission to the leaderboard breaks a rule; names the file, and the problem and seed."""


class BoardError(LoihiGymError):
    """The leaderboard's own files are missing, malformed or stale."""


class CalibrationError(LoihiGymError):
    """Measurements are malformed, too few, or not of the problem they name."""


class FigureFileError(LoihiGymError):
    """The file of published figures is missing or malformed; names the table and the key."""


class ServerError(LoihiGymError):
    """A measurement server cannot be started as asked for, or refuses what it is asked."""


class InvalidActionError(LoihiGymError):
    """An environment was given an action its rules forbid."""


class MeasurementError(LoihiGymError):
    """A backend could not measure a mapping; another attempt or mapping may well succeed."""


class LavaSetupError(LoihiGymError):
    """Lava's own environment, or the hardware it was to use, is not there."""


def unknown(kind: str, name: str, known: list[str]) -> UnknownNameError:
    """The error for a name that is not among `known`, with the nearest ones first."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return UnknownNameError(f"unknown {kind} {name!r}; {hint}")


def install_hint(extra: str) -> str:
    """What to type for an extra of this package, in quotes for zsh."""
    command = f'pip install "loihi-gym[{extra}]"'
    first = "; it brings torch: install torch's CPU build first, which is enough and far smaller"
    return command + (first if extra in TORCH else "")


def one_line(text: object, most: int = LONGEST_MESSAGE) -> str:
    """Foreign text, such as a name in a file, as one line that is safe to show; see `printable`."""
    return printable(" ".join(str(text).split()), most)


def printable(line: str, most: int = LONGEST_LINE) -> str:
    """A line with a question mark for each control character, escapes of a terminal included.

    Of a line longer than `most` characters the middle is left out.
    """
    kept = (most - 3) // 2
    line = line if len(line) <= most else f"{line[:kept]} … {line[-kept:]}"
    return "".join(character if character.isprintable() else "?" for character in line)
