"""Who may ask: bearer tokens from a file, and where a server may listen without any."""

import hmac
import ipaddress
from hashlib import sha256
from pathlib import Path

from ..errors import ServerError

SHORTEST = 16
"""Characters of a token: what is shorter can be guessed."""


class Tokens:
    """The tokens that a server accepts, each with a name; compared in constant time.

    Args:
        names: Name of each token. No token at all lets everybody in.

    Attributes:
        required: Whether a token is needed.
    """

    def __init__(self, names: dict[str, str]) -> None:
        self.required = bool(names)
        self._names = [(sha256(token.encode()).digest(), name) for token, name in names.items()]

    def name(self, header: str) -> str | None:
        """Name of the token in an Authorization header; None if it is not accepted.

        Every token is compared, and digests of one length, so that time says nothing.
        """
        scheme, _, token = header.partition(" ")
        given = sha256(token.strip().encode("utf-8", "surrogateescape")).digest()
        found = None
        for digest, name in self._names:
            if hmac.compare_digest(digest, given):
                found = name
        return found if scheme.lower() == "bearer" else None


def read_tokens(path: str | Path | None) -> Tokens:
    """Tokens from a file: one per line, as ``token`` or ``name:token``; # begins a comment.

    Raises:
        ServerError: if the file cannot be read, has no token, or one that is too short.
    """
    if path is None:
        return Tokens({})
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError(f"token file {path} cannot be read: {error}") from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        name, colon, token = text.rpartition(":")
        if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError(
                f"token file {path}, line {number}: a token is at least {SHORTEST} printable ASCII "
                "characters without spaces"
            )
        names[token] = name if colon else ""
    if not names:
        raise ServerError(f"token file {path} holds no token")
    return Tokens(names)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_bind(host: str, tokens: Tokens) -> None:
    """Refuse to listen to other machines without a token.

    Raises:
        ServerError: says what to do.
    """
    if not tokens.required and not is_loopback(host):
        raise ServerError(
            f"refusing to listen on {host} without a token: give --token-file, or listen on "
            "127.0.0.1"
        )
