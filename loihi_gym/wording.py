"""How one latency compares with another, in words."""


def against(latency_ps: int, other_ps: int) -> str:
    """How much less or more time one latency is than another, to be followed by the other's name.

    "19.0% below", "4.2% above", "2.1 times as slow as" or "equal to".
    """
    change = latency_ps / other_ps - 1.0
    if change == 0.0:
        return "equal to"
    if change >= 1.0:
        return f"{change + 1.0:.1f} times as slow as"
    return f"{abs(change):.1%} {'above' if change > 0 else 'below'}"


def against_reference(latency_ps: int, reference_ps: int) -> str:
    """`against`, the other being the reference mapping."""
    return f"{against(latency_ps, reference_ps)} the reference"
