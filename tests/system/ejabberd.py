"""A private ejabberd on a port of its own: no distribution, no epmd, all files in one directory."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from coturn import free_port

CONFIGURATION = """
hosts: [localhost]
loglevel: info
certfiles: ["{directory}/server.pem"]
auth_method: internal
listen:
  - {{port: {port}, ip: 127.0.0.1, module: ejabberd_c2s, starttls_required: true,
      max_stanza_size: 1048576}}
  - {{port: {https_port}, ip: 127.0.0.1, module: ejabberd_http, tls: true,
      request_handlers: {{/upload: mod_http_upload}}}}
acl: {{local: {{user_regexp: ""}}}}
access_rules: {{local: {{allow: local}}, c2s: {{allow: all}}}}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_stream_mgmt: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_admin_extra: {{}}
  mod_proxy65: {{host: proxy.localhost, hostname: 127.0.0.1, ip: 127.0.0.1, port: {proxy_port}}}
  mod_http_upload: {{host: upload.localhost, put_url: "https://localhost:{https_port}/upload",
    docroot: "{directory}/upload", max_size: 100000000}}
"""

PREPARE = """
[ok = ejabberd_auth:try_register(U, <<"localhost">>, <<"secret">>) || U <- [{users}]],
[ok = mod_admin_extra:add_rosteritem(U, <<"localhost">>, V, <<"localhost">>, V, <<>>, <<"both">>)
 || U <- [{users}], V <- [{users}], U =/= V],
io:format("READY~n").
"""


class Ejabberd:
    def __init__(self, accounts=("alice", "bob")):
        self.directory = Path(tempfile.mkdtemp(prefix="jingle-ejabberd."))
        self.host, self.port, self.domain = "127.0.0.1", free_port(), "localhost"
        self.ca_file = str(self.directory / "server.pem")
        self._make_certificate()
        (self.directory / "ejabberd.yml").write_text(
            CONFIGURATION.format(directory=self.directory, port=self.port,
                                 https_port=free_port(), proxy_port=free_port()))
        users = ", ".join(f'<<"{name}">>' for name in accounts)
        code = max(Path("/usr/lib").glob("*-linux-gnu/ejabberd-*/ebin"))
        self.output = open(self.directory / "output", "w")
        self.process = subprocess.Popen(
            ["erl", "-noinput", "+K", "true", "-pa", code,
             "-mnesia", "dir", f'"{self.directory}/spool"',
             "-ejabberd", "config", f'"{self.directory}/ejabberd.yml"',
             "log_path", f'"{self.directory}/ejabberd.log"',
             "-s", "ejabberd", "-eval", PREPARE.format(users=users).replace("\n", " ")],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT,
            cwd=self.directory, env={"HOME": str(self.directory), "PATH": "/usr/bin:/bin"})
        self._await_ready()

    def _make_certificate(self):
        # One file with everything: it is its own authority.
        key, certificate = self.directory / "key.pem", self.directory / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        Path(self.ca_file).write_text(certificate.read_text() + key.read_text())

    def _await_ready(self):
        deadline = time.monotonic() + 60
        while "READY" not in (said := (self.directory / "output").read_text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"ejabberd does not start: {said}")
            time.sleep(0.1)

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
