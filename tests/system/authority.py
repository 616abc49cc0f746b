"""Certificates for servers of one test: an authority of its own, and what it vouches for."""

import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Authority:
    """Keeps ca.pem and ca.key in `directory`, as private_server.sh does: made if not there yet."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.ca_file, self.key = self.directory / "ca.pem", self.directory / "ca.key"
        if not self.ca_file.exists():
            openssl("req", "-x509", *KEY, "-days", 30, "-subj", "/CN=Authority of a test",
                    "-keyout", self.key, "-out", self.ca_file)

    def certify(self, domain, path, kind="good"):
        """Writes one file with a certificate for a server and its key, wrong in the way of `kind`,
        which private_server.sh has, too."""
        key, request, extensions = (path.with_suffix(f".{name}") for name in ("key", "csr", "ext"))
        name = "another.invalid" if kind == "wrong-name" else domain
        openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions.write_text(f"subjectAltName=DNS:{name}\n")
        signer = (["-signkey", key] if kind == "self-signed"
                  else ["-CA", self.ca_file, "-CAkey", self.key, "-CAcreateserial"])
        openssl("x509", "-req", "-in", request, *signer, "-days", -1 if kind == "expired" else 30,
                "-extfile", extensions, "-out", path)
        path.write_text(path.read_text() + key.read_text())
