"""The part of a site file that a program needs: what the site is called, where its registries are,
and its keys. Relative paths in it are relative to its folder.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import curve_keys
from .errors import InvalidArgument, NotFound, Unavailable
from .identity import node_uuid
from .messages import NodeInfo

DEFAULT_FILE = "site.toml"
ENVIRONMENT = "TIDEMARK_SITE"
REGISTRIES_MAX = 9
SOCKET_PATH_BYTES_MAX = 107
SPOOL_BYTES, SPOOL_BYTES_MIN, SPOOL_BYTES_MAX = 64 << 20, 1 << 16, 1 << 36


@dataclass(frozen=True)
class Site:
    file: Path
    name: str
    data_directory: Path
    run_directory: Path
    transport: str  # "ipc" or "tcp"
    address: str  # tcp: where the nodes of this host bind
    registry_endpoints: tuple[tuple[str, str], ...]  # name and where it answers requests
    keys: Path | None  # tcp only
    insecure: bool
    spool_bytes_max: int  # on disk, of each node: records that the journal does not have yet

    @property
    def uses_keys(self) -> bool:
        return self.transport == "tcp" and self.keys is not None

    def endpoints(self, node: str) -> tuple[str, str]:
        """Where a node of this site binds its data and its requests."""
        if self.transport == "ipc":
            return (f"ipc://{self.run_directory}/{node}.data",
                    f"ipc://{self.run_directory}/{node}.req")
        return f"tcp://{self.address}:*", f"tcp://{self.address}:*"

    def registries(self) -> list[NodeInfo]:
        """Raises Unavailable when the public key of one is not there."""
        found = []
        for name, endpoint in self.registry_endpoints:
            data = (self.endpoints(name)[0],) if self.transport == "ipc" else ()
            key = b""
            if self.uses_keys:
                assert self.keys is not None
                key = curve_keys.public_key(self.keys, name)
            found.append(NodeInfo(name, "registry", node_uuid(self.name, name),
                                  data_endpoints=data, request_endpoints=(endpoint,),
                                  public_key=key))
        return found


def load(file: str | Path | None = None) -> Site:
    """Without `file`: that of TIDEMARK_SITE, else site.toml here.

    Raises NotFound, Unavailable, or InvalidArgument naming the key.
    """
    path = Path(file or os.environ.get(ENVIRONMENT) or DEFAULT_FILE).absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"no site file '{path}'") from None
    except (OSError, UnicodeDecodeError) as failure:
        raise Unavailable(f"cannot read the site file '{path}': {failure}") from None
    try:
        return parse(tomllib.loads(text), path)
    except tomllib.TOMLDecodeError as failure:
        raise InvalidArgument(f"{path}: {failure}") from None


def parse(document: dict[str, Any], file: Path) -> Site:
    section = _Section(file, document, "site")
    bus = _Section(file, document, "bus")
    name = section.text("name", "tidemark")
    if not 1 <= len(name) <= 64 or not all(c.isdigit() or "a" <= c <= "z" or c in "_-"
                                           for c in name if c.isascii()) or not name.isascii():
        raise section.fault("name", f"'{name}' is not 1 to 64 of a-z, 0-9, '_' and '-'")
    data = _absolute(file, section.text("data", "data"))
    run = section.text("run", "")
    run_directory = _absolute(file, run) if run else data / "run"
    transport = bus.text("transport", "ipc")
    if transport not in ("ipc", "tcp"):
        raise bus.fault("transport", f"'{transport}' is not one of ipc, tcp")
    if transport == "ipc":
        names = [each for each in section.texts("nodes") if each.startswith("registry")]
        registries = [(each, f"ipc://{run_directory}/{each}.req")
                      for each in names or ["registry"]]
    else:
        if bus.has("registry") and bus.has("registries"):
            raise bus.fault("registry", "is the short form of `registries`; one is enough")
        listed = [bus.text("registry", "")] if bus.has("registry") else bus.texts("registries")
        if not listed or not all(each.startswith("tcp://") for each in listed):
            raise bus.fault("registry", "needed with transport 'tcp': where the registry listens, "
                                        "such as \"tcp://127.0.0.1:5610\"")
        if len(listed) > REGISTRIES_MAX:
            raise bus.fault("registries", f"more than {REGISTRIES_MAX}")
        registries = [("registry" if at == 0 else f"registry-{at + 1}", each)
                      for at, each in enumerate(listed)]
    keys = bus.text("keys", "")
    return Site(file, name, data, run_directory, transport, bus.text("address", "127.0.0.1"),
                tuple(registries), _absolute(file, keys) if keys else None,
                bus.flag("insecure"),
                bus.number("spool_bytes_max", SPOOL_BYTES, SPOOL_BYTES_MIN, SPOOL_BYTES_MAX))


class _Section:
    def __init__(self, file: Path, document: dict[str, Any], name: str):
        self._file = file
        self._name = name
        self._table = document.get(name, {})
        if not isinstance(self._table, dict):
            raise InvalidArgument(f"{file}: {name}: expected a table: [{name}]")

    def fault(self, key: str, what: str) -> InvalidArgument:
        return InvalidArgument(f"{self._file}: {self._name}.{key}: {what}")

    def has(self, key: str) -> bool:
        return key in self._table

    def text(self, key: str, default: str) -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str):
            raise self.fault(key, "expected a string in quotes")
        return value

    def texts(self, key: str) -> list[str]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.fault(key, "expected a list of strings")
        return value

    def number(self, key: str, default: int, low: int, high: int) -> int:
        value = self._table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fault(key, f"expected an integer from {low} to {high}")
        return value

    def flag(self, key: str) -> bool:
        value = self._table.get(key, False)
        if not isinstance(value, bool):
            raise self.fault(key, "expected true or false")
        return value


def _absolute(file: Path, path: str) -> Path:
    return Path(os.path.normpath(file.parent / path))
