"""The examples of docs/bus-protocol.md, taken from the page itself, so that both cannot differ."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs/bus-protocol.md"


def examples() -> list[bytes]:
    """Every block of hexadecimal bytes, in the order of the page."""
    blocks = PAGE.read_text(encoding="utf-8").split("```")[1::2]
    found = []
    for block in blocks:
        try:
            found.append(bytes.fromhex(block))
        except ValueError:
            continue
    return found


FRAME, HEARTBEAT, REQUEST, REQUEST_AGAIN, FAILURE = examples()
