"""A small internet of network namespaces:

    a 10.1.0.2 ── router_a ──┐
                             ├── public 203.0.113.1, 2001:db8::1: XMPP and TURN servers
    b 10.2.0.2 ── router_b ──┘

The routers masquerade what comes from inside and let in nothing that was not asked for. They keep
ports, so a mapping is the same for all destinations (a port-restricted cone, RFC 4787); with
`symmetric` each new destination gets a port at random, so that only a relay can help. A side in
`open_sides` has a public address and no router, one in `ipv6_only` the same and no IPv4, not even
on loopback.

    start_internet(symmetric="ab")    start_internet(open_sides="a", ipv6_only="b")
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PUBLIC = "203.0.113.1"
PUBLIC_V6 = "2001:db8::1"
BLACK_HOLE = "198.51.100.1"  # what is sent there is lost without a word


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


# Prints once each where UDP packets are sent to, as packet(7) sees them.
CAPTURE = """
import socket, struct
packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(3))
print("ready", flush=True)
seen = set()
while True:
    packet, (_, protocol, kind, *_) = packets.recvfrom(65535)
    if kind != socket.PACKET_OUTGOING:
        continue
    if protocol == 0x0800 and packet[9] == socket.IPPROTO_UDP:
        address, rest = socket.inet_ntoa(packet[16:20]), packet[4 * (packet[0] & 15):]
    elif protocol == 0x86dd and packet[6] == socket.IPPROTO_UDP:
        address, rest = socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:]
    else:
        continue
    place = f"{address}:{struct.unpack('!H', rest[2:4])[0]}"
    if place not in seen:
        print(place, flush=True)
    seen.add(place)
"""


class Capture:
    """What leaves a namespace from now on."""

    def __init__(self, prefix):
        self.process = subprocess.Popen([*prefix, sys.executable, "-c", CAPTURE],
                                        stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def udp(self):
        """Ends it. Returns where UDP packets went to: "ADDRESS:PORT"."""
        self.process.kill()
        places = set(self.process.stdout.read().split())
        self.process.wait()
        return places


class Internet:
    def __init__(self, symmetric="", open_sides="", ipv6_only=""):
        self.tag = f"jg{os.getpid()}"
        self.names = []
        self.captures = []
        self.open_sides, self.ipv6_only = open_sides, ipv6_only
        try:
            self._build(symmetric, open_sides, ipv6_only)
        except RuntimeError:
            self.stop()
            raise

    # ---------------------------------------------------------------------------- building --

    def _build(self, symmetric, open_sides, ipv6_only):
        self._add("public")
        self._in("public", "ip", "link", "add", "br0", "type", "bridge")
        self._in("public", "ip", "addr", "add", f"{PUBLIC}/24", "dev", "br0")
        self._in("public", "ip", "addr", "add", f"{PUBLIC_V6}/64", "dev", "br0", "nodad")
        self._in("public", "ip", "link", "set", "br0", "up")
        # What goes to private addresses is lost, as in the internet, and not an error.
        self._in("public", "ip", "neigh", "add", "203.0.113.254", "lladdr", "02:00:00:00:00:fe",
                 "dev", "br0", "nud", "permanent")
        self._in("public", "ip", "route", "add", "default", "via", "203.0.113.254")
        for number, side in enumerate("ab", 1):
            self._add(side)
            if side in ipv6_only:
                self._add_open(side, f"2001:db8::1{number}/64", PUBLIC_V6)
                self._in(side, "ip", "addr", "del", "127.0.0.1/8", "dev", "lo")
            elif side in open_sides:
                self._add_open(side, f"203.0.113.{10 + number}/24", PUBLIC)
            else:
                self._add_router(f"router_{side}", number + 1, side in symmetric)
                self._plug(f"router_{side}", number, side, "eth0")

    def _add_open(self, side, address, gateway):
        self._link("public", f"p{side}", side, "eth0")
        self._in("public", "ip", "link", "set", f"p{side}", "master", "br0")
        self._in(side, "ip", "addr", "add", address, "dev", "eth0",
                 *(["nodad"] if ":" in address else []))
        self._in(side, "ip", "route", "add", "default", "via", gateway, "dev", "eth0")

    def _add_router(self, router, public_number, symmetric=False):
        """A router with the address 203.0.113.<public_number>."""
        self._add(router)
        self._link(router, "wan", "public", f"p{public_number}")
        self._in("public", "ip", "link", "set", f"p{public_number}", "master", "br0")
        self._in(router, "ip", "addr", "add", f"203.0.113.{public_number}/24", "dev", "wan")
        self._in(router, "ip", "route", "add", "default", "via", PUBLIC)
        self._in(router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self._in(router, "nft", f"""
            add table ip nat
            add chain ip nat post {{ type nat hook postrouting priority 100 ; }}
            add rule ip nat post oifname wan masquerade {"fully-random" if symmetric else ""}
            add table ip filter
            add chain ip filter blocked {{ type filter hook forward priority -1 ; }}
            add chain ip filter forward {{ type filter hook forward priority 0 ; policy drop ; }}
            add rule ip filter forward iifname lan accept
            add rule ip filter forward ct state established,related accept
            add chain ip filter input {{ type filter hook input priority 0 ; policy accept ; }}
            add rule ip filter input iifname wan ct state new drop
            """)

    def _plug(self, router, number, side, device):
        """A cable from the inside of a router, where the addresses are 10.<number>.0.0/24."""
        self._link(router, "lan", side, device)
        self._in(router, "ip", "addr", "add", f"10.{number}.0.1/24", "dev", "lan")
        self._in(side, "ip", "addr", "add", f"10.{number}.0.2/24", "dev", device)
        self._in(side, "ip", "route", "replace", "default", "via", f"10.{number}.0.1")

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

    def write(self, name, file, text):
        """Programs that are started in that namespace from now on see this as /etc/`file`."""
        folder = Path("/etc/netns") / f"{self.tag}-{name}"  # ip-netns(8)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text)

    def address(self, side):
        """The one that it has from the start."""
        number = "ab".index(side) + 1
        if side in self.ipv6_only:
            return f"2001:db8::1{number}"
        return f"203.0.113.{10 + number}" if side in self.open_sides else f"10.{number}.0.2"

    def capture(self, side):
        self.captures.append(Capture(self.prefix(side)))
        return self.captures[-1]

    # ------------------------------------------------------------------------------ trouble --

    def cut(self, side):
        """Pulls a side's cable."""
        self._in(side, "ip", "link", "set", "eth0", "down")

    def mend(self, side):
        self._in(side, "ip", "link", "set", "eth0", "up")
        number = "ab".index(side) + 1
        self._in(side, "ip", "route", "replace", "default", "via", f"10.{number}.0.1")

    def prepare_mobile(self, side):
        """A second network, which the side does not see yet."""
        self._add_router(f"mobile_{side}", 32 + "ab".index(side))

    def go_mobile(self, side):
        """Wi-Fi is out of reach: its interface is gone and another one appears."""
        self._in(side, "ip", "link", "del", "eth0")
        self._plug(f"mobile_{side}", 32 + "ab".index(side), side, "wwan0")

    def rebind(self, side):
        """The router forgets all mappings and has another public address from now on; the side is
        not told. Masquerading forgets what went out by an address that is taken away."""
        number = "ab".index(side) + 1
        router = f"router_{side}"
        # a connection whose beginning it has not seen is none
        self._in(router, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
        self._in(router, "nft", "insert rule ip filter forward ct state invalid drop")
        self._in(router, "ip", "addr", "del", f"203.0.113.{number + 1}/24", "dev", "wan")
        self._in(router, "ip", "addr", "add", f"203.0.113.{number + 20}/24", "dev", "wan")

    def block(self, side, what):
        """What matches does not leave that side's network: block("a", "meta l4proto udp")."""
        if side in self.open_sides + self.ipv6_only:
            self._in(side, "nft", f"""
                add table inet filter
                add chain inet filter blocked {{ type filter hook output priority 0 ; }}
                add rule inet filter blocked oifname eth0 {what} drop
                """)
        else:
            self._in(f"router_{side}", "nft", f"add rule ip filter blocked iifname lan {what} drop")

    def unblock(self, side):
        self._in(f"router_{side}", "nft", "flush chain ip filter blocked")

    def refuse_tcp(self, side, port):
        """Breaks that side's connections to a port of the public host, and no new one is made."""
        self._in(side, "nft", f"""
            add table ip cut
            add chain ip cut output {{ type filter hook output priority 0 ; }}
            add rule ip cut output tcp dport {port} reject with tcp reset
            """)

    def allow_tcp(self, side):
        self._in(side, "nft", "delete table ip cut")

    def lose_answers_to_checks(self, side):
        """From now on no STUN binding response reaches that side; all else does."""
        self._in(side, "nft", """
            add table ip lossy
            add chain ip lossy input { type filter hook input priority 0 ; }
            add rule ip lossy input meta l4proto udp @th,64,16 0x0101 drop
            """)

    def add_useless_interfaces(self, side, count):
        """As of containers and VPNs: up, with addresses of both families, and leading nowhere.
        Every third is a bridge to which nothing is connected."""
        for i in range(count):
            device = f"docker{i}"
            if i % 3:
                self._in(side, "ip", "link", "add", device, "type", "veth", "peer", "name",
                         f"void{i}")
                self._in(side, "ip", "link", "set", f"void{i}", "up")
            else:
                self._in(side, "ip", "link", "add", device, "type", "bridge")
            self._in(side, "ip", "addr", "add", f"172.{17 + i}.0.1/16", "dev", device)
            self._in(side, "ip", "addr", "add", f"fd00:{i + 1}::1/64", "dev", device, "nodad")
            self._in(side, "ip", "link", "set", device, "up")

    def make_and_remove_interfaces(self, side, count):
        """As fast as the kernel can, in pairs that have a carrier and addresses."""
        lines = []
        for i in range(count // 2):
            lines += [f"link add storm{i} type veth peer name mrots{i}", f"link set storm{i} up",
                      f"link set mrots{i} up", f"addr add 172.31.{i}.1/24 dev storm{i}",
                      f"addr add 172.30.{i}.1/24 dev mrots{i}", f"link del storm{i}"]
        subprocess.run([*self.prefix(side), "ip", "-batch", "-"], input="\n".join(lines) + "\n",
                       text=True, check=True)

    def stop(self):
        for capture in self.captures:
            capture.process.kill()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{name}"], check=False)
            shutil.rmtree(Path("/etc/netns") / f"{self.tag}-{name}", ignore_errors=True)
