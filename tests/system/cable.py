"""A cable between a client and its server, or between two servers, that a test can cut: a port of
its own behind which is what listens at another one."""

import contextlib
import socket
import threading

from coturn import free_port


class Cable:
    def __init__(self, port, host="127.0.0.1"):
        """Whole from the start. `port` may also be set later, before somebody connects."""
        self.host, self.port = host, port
        self.near = free_port()  # to connect to
        self.lock = threading.Lock()
        self.ends = []
        self.listener = None
        self.threads = []
        self.mend()

    def mend(self):
        self.listener = socket.create_server((self.host, self.near))
        self._start(self._accept, self.listener)

    def _start(self, function, *words):
        self.threads.append(threading.Thread(target=function, args=words, daemon=True))
        self.threads[-1].start()

    def _accept(self, listener):
        with contextlib.suppress(OSError):  # closed: cut
            while True:
                one = listener.accept()[0]
                self._join(listener, one)

    def _join(self, listener, one):
        try:
            other = socket.create_connection((self.host, self.port))
        except OSError:
            one.close()
            return
        with self.lock:
            if listener is not self.listener:  # cut meanwhile
                one.close()
                other.close()
                return
            self.ends += [one, other]
        self._start(self._carry, one, other)
        self._start(self._carry, other, one)

    @staticmethod
    def _carry(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def cut(self):
        """Both sides see their connections end without a word; new ones are refused."""
        with self.lock:
            listener, self.listener = self.listener, None
            ends, self.ends = self.ends, []
        if listener is None:
            return
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(10)
        self.threads = []
        for end in [listener, *ends]:
            end.close()

    def stop(self):
        self.cut()
