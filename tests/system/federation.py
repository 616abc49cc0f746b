"""Two servers that talk to each other: Prosody for a.test, ejabberd for b.test. Each finds the other
through a cable that a test can cut, and no other domains but `DEAD`, where nothing listens."""

from pathlib import Path

from cable import Cable
from ejabberd import Ejabberd
from prosody import Prosody

MODULE = Path(__file__).parent / "modules" / "mod_other_servers.lua"
DEAD = "dead.test"  # has an address, but nobody is there; any other name has none


class Federation:
    """alice lives at `one`, bob at `other`; `acquainted`: they are contacts of each other."""

    def __init__(self, way="dialback", acquainted=True):
        alice, bob = "alice@a.test", "bob@b.test"
        self.started = []
        try:
            self.one = self._keep(Prosody(
                "--domain", "a.test", "--federate", way, "--module", MODULE, "--proxy",
                *(["--contact", bob] if acquainted else []), accounts=("alice",)))
            self.to_one = self._keep(Cable(self.one.s2s_port))
            self.other = self._keep(Ejabberd(
                "--domain", "b.test", "--federate", way,
                # By dialback neither knows the other's authority.
                *(["--authority", self.one.directory / "certs"] if way == "certificates" else []),
                "--other", f"a.test=127.0.0.1:{self.to_one.near}",
                "--other", f"{DEAD}=127.0.0.9:{self.to_one.near}",
                *(["--contact", alice] if acquainted else []), accounts=("bob",)))
            self.to_other = self._keep(Cable(self.other.s2s_port))
            self.one.know({"b.test": ("127.0.0.1", self.to_other.near),
                           DEAD: ("127.0.0.9", self.to_one.near)})
        except BaseException:
            self.stop()
            raise

    def _keep(self, started):
        self.started.append(started)
        return started

    def cut(self):
        self.to_one.cut()
        self.to_other.cut()

    def mend(self):
        self.to_one.mend()
        self.to_other.mend()

    def stop(self):
        for one in reversed(self.started):
            one.stop()
