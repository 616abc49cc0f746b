"""A private ejabberd on ports of its own: no distribution, no epmd, all files in one directory."""

import argparse
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from authority import Authority
from coturn import free_port

CONFIGURATION = """
hosts: ["{domain}"]
loglevel: info
certfiles: ["{directory}/server.pem"]
auth_method: internal
listen:
  - {{port: {port}, ip: 127.0.0.1, module: ejabberd_c2s, starttls_required: true,
      max_stanza_size: {stanza_limit}}}
  - {{port: {tls_port}, ip: 127.0.0.1, module: ejabberd_c2s, tls: true,
      max_stanza_size: {stanza_limit}}}
  - {{port: {https_port}, ip: 127.0.0.1, module: ejabberd_http, tls: true,
      request_handlers: {{/upload: mod_http_upload}}}}
{s2s_listener}
acl: {{local: {{user_regexp: ""}}}}
access_rules: {{local: {{allow: local}}, c2s: {{allow: all}}}}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_stream_mgmt: {{resume_timeout: {resume_time}}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_admin_extra: {{}}
  mod_proxy65: {{host: proxy.{domain}, hostname: 127.0.0.1, ip: 127.0.0.1, port: {proxy_port}}}
  mod_http_upload: {{host: upload.{domain}, put_url: "https://{domain}:{https_port}/upload",
    docroot: "{directory}/upload", max_size: 100000000}}
{more_modules}
"""

FEDERATION = """
s2s_use_starttls: required
s2s_cafile: "{ca_file}"
outgoing_s2s_families: [ipv4]
outgoing_s2s_timeout: 5
s2s_max_retry_delay: 1
"""

# No names of the network are looked up, but by the C library, once it is certain that there is no SRV
# record.
NAMES = """
{lookup, [file]}.
{hosts_file, "/dev/null"}.
{resolv_conf, "/dev/null"}.
clear_ns.
"""

PREPARE = """
D = <<"{domain}">>,
[ok = ejabberd_auth:try_register(U, D, <<"secret">>) || U <- [{users}]],
[ok = mod_admin_extra:add_rosteritem(U, D, V, D, V, <<>>, <<"both">>)
 || U <- [{friends}], V <- [{friends}], U =/= V],
[ok = mod_admin_extra:add_rosteritem(U, D, V, E, V, <<>>, <<"both">>)
 || U <- [{friends}], {{V, E}} <- [{contacts}]],
[inet_db:add_rr("_xmpp-server._tcp." ++ N, in, srv, 86400, {{0, 0, P, A}})
 || {{N, A, P}} <- [{others}]],
io:format("READY~n").
"""


def read_options(words):
    """Those of private_server.sh that make sense here, with the same meaning."""
    parser = argparse.ArgumentParser(prog="ejabberd")
    parser.add_argument("--domain", default="localhost")
    parser.add_argument("--certificate", default="good")
    parser.add_argument("--authority")
    parser.add_argument("--stanza-limit", type=int, default=1 << 20)
    parser.add_argument("--resume-time", type=int, default=60)
    parser.add_argument("--stun", action="append", default=[])
    parser.add_argument("--turn", action="append", default=[])
    parser.add_argument("--contact", action="append", default=[])
    parser.add_argument("--federate", choices=["dialback", "certificates"])
    # Only here: where another server is, DOMAIN=ADDRESS:PORT. It finds no others.
    parser.add_argument("--other", action="append", default=[])
    return parser.parse_args([str(word) for word in words])


def program_folder():
    found = sorted(Path("/usr/lib").glob("*-linux-gnu/ejabberd-*/ebin"))
    if not found or not shutil.which("erl"):
        pytest.skip("ejabberd is not installed; see scripts/install-packages.sh")
    return found[-1]


class Ejabberd:
    def __init__(self, *words, accounts=("alice", "bob"), strangers=()):
        self.code = program_folder()
        self.options = read_options(words)
        self.directory = Path(tempfile.mkdtemp(prefix="jingle-ejabberd."))
        self.host, self.domain = "127.0.0.1", self.options.domain
        self.port, self.tls_port, self.s2s_port = free_port(), free_port(), free_port()
        self.https_port = free_port()
        self._make_certificate()
        self._configure()
        self._run(accounts, strangers)

    def _make_certificate(self):
        authority = Authority(self.options.authority or self.directory)
        self.ca_file = str(self.directory / "ca.pem")
        if self.options.authority:
            shutil.copy(authority.ca_file, self.ca_file)
        authority.certify(self.domain, self.directory / "server.pem", self.options.certificate)

    def _configure(self):
        options = self.options
        more, listener, federation = self._services(), "", ""
        if options.federate:
            listener = f"  - {{port: {self.s2s_port}, ip: 127.0.0.1, module: ejabberd_s2s_in}}"
            federation = FEDERATION.format(ca_file=self.ca_file)
        if options.federate == "dialback":
            more += "  mod_s2s_dialback: {}\n"
        (self.directory / "ejabberd.yml").write_text(CONFIGURATION.format(
            directory=self.directory, domain=self.domain, port=self.port, tls_port=self.tls_port,
            https_port=self.https_port, proxy_port=free_port(), stanza_limit=options.stanza_limit,
            resume_time=options.resume_time, s2s_listener=listener,
            more_modules=more) + federation)
        (self.directory / "inetrc").write_text(NAMES)

    def _services(self):
        """XEP-0215."""
        services, secret = [], ""
        for option in self.options.stun:
            host, port = option.rsplit(":", 1)
            services.append(f"{{host: {host}, port: {port}, type: stun, transport: udp}}")
        for option in self.options.turn:
            host, port, transport, secret = option.split(":")
            kind = "turn"
            if transport == "tls":
                kind, transport = "turns", "tcp"
            services.append(f"{{host: {host}, port: {port}, type: {kind}, transport: {transport}}}")
        if not services:
            return ""
        return (f'  mod_stun_disco: {{secret: "{secret}", credentials_lifetime: 3600,'
                f" offer_local_services: false, services: [{', '.join(services)}]}}\n")

    def _run(self, accounts, strangers):
        def names(some):
            return ", ".join(f'<<"{name}">>' for name in some)

        contacts = ", ".join('{{<<"{}">>, <<"{}">>}}'.format(*jid.split("@"))
                             for jid in self.options.contact)
        others = ", ".join('{{"{}", "{}", {}}}'.format(*re.split("[=:]", other))
                           for other in self.options.other)
        prepare = PREPARE.format(domain=self.domain, users=names([*accounts, *strangers]),
                                 friends=names(accounts), contacts=contacts,
                                 others=others)
        self.output = open(self.directory / "output", "w")
        self.process = subprocess.Popen(
            ["erl", "-noinput", "+K", "true", "-pa", self.code,
             "-mnesia", "dir", f'"{self.directory}/spool"',
             "-ejabberd", "config", f'"{self.directory}/ejabberd.yml"',
             "log_path", f'"{self.directory}/ejabberd.log"',
             "-s", "ejabberd", "-eval", prepare.replace("\n", " ")],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            cwd=self.directory, env={"HOME": str(self.directory), "PATH": "/usr/bin:/bin",
                                     "ERL_INETRC": str(self.directory / "inetrc"),
                                     "RES_OPTIONS": "timeout:1 attempts:1"})
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def _await_ready(self):
        deadline = time.monotonic() + 60
        while "READY" not in (said := (self.directory / "output").read_text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"ejabberd does not start: {said}")
            time.sleep(0.1)

    def https_ports(self):
        return [self.https_port]

    def log(self):
        return (self.directory / "output").read_text(errors="replace")

    def await_log(self, pattern, timeout=20):
        """Waits for a line of the server's log."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.log()):
            assert time.monotonic() < deadline, f"the server's log never had: {pattern}"
            time.sleep(0.05)

    def jid(self, name):
        return f"{name}@{self.domain}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.directory)
