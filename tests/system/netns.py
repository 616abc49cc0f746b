"""A small internet of network namespaces, for NAT:

    a 10.1.0.2 ── router_a ──┐
                             ├── public 203.0.113.1: XMPP and TURN servers
    b 10.2.0.2 ── router_b ──┘

The routers masquerade what comes from inside and let in nothing that was not asked for. With
`symmetric` each new destination gets a port at random, so that only a relay can help.
"""

import os
import subprocess

import pytest

PUBLIC = "203.0.113.1"


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stderr}")


def unavailable():
    """Why namespaces cannot be used here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"jingle-try-{os.getpid()}"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if done.returncode != 0:
        return f"network namespaces are not permitted: {done.stderr.strip()}"
    rules = subprocess.run(
        ["ip", "netns", "exec", name, "nft", "add table ip t; add chain ip t c "
         "{ type nat hook postrouting priority 100 ; }; add rule ip t c masquerade"],
        capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], check=True)
    if rules.returncode != 0:
        return f"nftables is not permitted: {rules.stderr.strip()}"
    return None


WHY_NOT = unavailable()
# pytest would take a condition that is a string for Python.
needed = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


class Internet:
    def __init__(self, symmetric=()):
        self.tag = f"jg{os.getpid()}"
        self.names = []
        try:
            self._build(symmetric)
        except RuntimeError:
            self.stop()
            raise

    def _build(self, symmetric):
        self._add("public")
        self._in("public", "ip", "link", "add", "br0", "type", "bridge")
        self._in("public", "ip", "addr", "add", f"{PUBLIC}/24", "dev", "br0")
        self._in("public", "ip", "link", "set", "br0", "up")
        # What goes to private addresses is lost, as in the internet, and not an error.
        self._in("public", "ip", "neigh", "add", "203.0.113.254", "lladdr", "02:00:00:00:00:fe",
                 "dev", "br0", "nud", "permanent")
        self._in("public", "ip", "route", "add", "default", "via", "203.0.113.254")
        for number, side in enumerate("ab", 1):
            self._add_side(number, side, side in symmetric)

    def _add_side(self, number, side, symmetric):
        router = f"router_{side}"
        self._add(router)
        self._add(side)
        self._link(router, "wan", "public", f"p{side}")
        self._in("public", "ip", "link", "set", f"p{side}", "master", "br0")
        self._link(router, "lan", side, "eth0")
        self._in(router, "ip", "addr", "add", f"203.0.113.{number + 1}/24", "dev", "wan")
        self._in(router, "ip", "addr", "add", f"10.{number}.0.1/24", "dev", "lan")
        self._in(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self._in(router, "nft", f"""
            add table ip nat
            add chain ip nat post {{ type nat hook postrouting priority 100 ; }}
            add rule ip nat post oifname wan masquerade {"fully-random" if symmetric else ""}
            add table ip filter
            add chain ip filter forward {{ type filter hook forward priority 0 ; policy drop ; }}
            add rule ip filter forward iifname lan accept
            add rule ip filter forward ct state established,related accept
            add chain ip filter input {{ type filter hook input priority 0 ; policy accept ; }}
            add rule ip filter input iifname wan ct state new drop
            """)
        self._in(side, "ip", "addr", "add", f"10.{number}.0.2/24", "dev", "eth0")
        self._in(side, "ip", "route", "add", "default", "via", f"10.{number}.0.1")

    def _add(self, name):
        run("ip", "netns", "add", f"{self.tag}-{name}")
        self.names.append(name)
        self._in(name, "ip", "link", "set", "lo", "up")

    def _link(self, one, one_device, other, other_device):
        run("ip", "link", "add", one_device, "netns", f"{self.tag}-{one}", "type", "veth",
            "peer", "name", other_device, "netns", f"{self.tag}-{other}")
        self._in(one, "ip", "link", "set", one_device, "up")
        self._in(other, "ip", "link", "set", other_device, "up")

    def _in(self, name, *words):
        run(*self.prefix(name), *words)

    def prefix(self, name):
        """Put before a command, it runs in that namespace."""
        return ["ip", "netns", "exec", f"{self.tag}-{name}"]

    def cut(self, side):
        """Pulls a side's cable."""
        self._in(side, "ip", "link", "set", "eth0", "down")

    def mend(self, side):
        self._in(side, "ip", "link", "set", "eth0", "up")
        number = "ab".index(side) + 1
        self._in(side, "ip", "route", "replace", "default", "via", f"10.{number}.0.1")

    def lose_answers_to_checks(self, side):
        """From now on no STUN binding response reaches that side; all else does."""
        self._in(side, "nft", """
            add table ip lossy
            add chain ip lossy input { type filter hook input priority 0 ; }
            add rule ip lossy input meta l4proto udp @th,64,16 0x0101 drop
            """)

    def stop(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{name}"], check=False)
