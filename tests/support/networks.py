"""Networks of their own for a test: namespaces joined by cables, with loss and rates by the kernel.

Names are those of the process that made them, so tests side by side do not meet. Nothing of it touches the
machine's own network.
"""

import contextlib
import ctypes
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support import needs

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """One namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path("/run/netns") / name

    def run(self, *command: str) -> str:
        """Run a command in it to its end; what it says."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets and processes that this thread makes meanwhile are of this network. They stay so."""
        with contextlib.ExitStack() as stack:
            own, there = (
                stack.enter_context(path.open()) for path in (Path("/proc/thread-self/ns/net"), self.path)
            )
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def socket(self) -> socket.socket:
        """A TCP socket of this network, IPv4."""
        with self.inside():
            return socket.socket()

    def loses(self, share: float, *match: str, protocol: str = "udp") -> None:
        """Lose a share of the UDP, or TCP, that comes in, IPv4 and IPv6, from now on; 0 loses none."""
        for tables in ("iptables", "ip6tables"):
            self.run(tables, "-F", "INPUT")
            if share:
                chance = ["-m", "statistic", "--mode", "random", "--probability", str(share)]
                self.run(tables, "-A", "INPUT", "-p", protocol, *match, *chance, "-j", "DROP")

    def lost(self) -> int:
        """How many packets were lost by `loses`, over IPv4."""
        return sum(
            int(line.split()[0])
            for line in self.run("iptables", "-L", "INPUT", "-v", "-x", "-n").splitlines()
            if "DROP" in line
        )

    def sends(self, kbit_s: int | None, cable: str) -> None:
        """Send at this rate at most on a cable, with room for 0.2 s; None: as fast as can be."""
        if kbit_s is None:
            self.run("tc", "qdisc", "del", "dev", cable, "root")
        else:
            shape = ["rate", f"{kbit_s}kbit", "burst", "4kb", "latency", "200ms"]
            self.run("tc", "qdisc", "replace", "dev", cable, "root", "tbf", *shape)

    def cut(self, cable: str) -> None:
        """Nothing goes through a cable from now on."""
        self.run("ip", "link", "set", cable, "down")


def _enter(fd: int) -> None:
    if _libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "a network namespace could not be entered")


@contextlib.contextmanager
def networks(*names: str) -> Iterator[tuple[Network, ...]]:
    """Networks with nothing but loopback."""
    needs.namespaces()
    unique = secrets.token_hex(3)
    with contextlib.ExitStack() as stack:
        made = []
        for name in names:
            network = Network(f"{name}-{unique}")
            subprocess.run(["ip", "netns", "add", network.name], check=True)
            stack.callback(subprocess.run, ["ip", "netns", "del", network.name], check=False)
            network.run("ip", "link", "set", "lo", "up")
            made.append(network)
        yield tuple(made)


def join(one: Network, its: tuple[str, ...], other: Network, others: tuple[str, ...], cable: str) -> None:
    """Lay a cable, called `cable` at both ends, with these addresses ("10.9.1.1/24", "fd00:9::1/64")."""
    peer = ["type", "veth", "peer", "name", cable, "netns", other.name]
    one.run("ip", "link", "add", cable, *peer)
    for network, addresses in ((one, its), (other, others)):
        for address in addresses:
            # Without looking for doubles, which takes a second for IPv6.
            network.run("ip", "address", "add", address, "dev", cable, *(["nodad"] if ":" in address else []))
        # Each datagram alone, as on a real cable: else what the sender's kernel is to cut is lost as one.
        network.run("ip", "link", "set", cable, "up", "gso_max_segs", "1")
