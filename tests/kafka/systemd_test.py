"""Goal: systemd hears of the service what is true: ready, waiting, stuck, stopping.
Method: the binary with a notify socket of the test's own; it gets stuck because nobody reads the
log that it writes."""

import contextlib
import fcntl
import os
import pathlib
import socket
import subprocess
import tempfile
import time

from admin_test import get, port_of
from application import DEADLINE_SECONDS, Broker, BrokerTest
from stop_test import invoices


class Systemd:
    """The socket that a unit of Type=notify gets."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="rfmstream-systemd-")
        self.path = str(pathlib.Path(self.directory.name) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.heard = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.directory.cleanup()

    def environment(self, watchdog_seconds=1):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(watchdog_seconds * 1_000_000)}

    def listen(self, seconds):
        """What comes within this time."""
        heard = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(TimeoutError):
                heard += self.socket.recv(65536).decode().splitlines()
        self.heard += heard
        return heard

    def wait_for(self, wanted, seconds=DEADLINE_SECONDS):
        """Until a line begins so; all that was heard by then."""
        deadline = time.monotonic() + seconds
        heard = []
        while time.monotonic() < deadline:
            heard += self.listen(0.1)
            if any(line.startswith(wanted) for line in heard):
                return heard
        raise AssertionError(f"{wanted}: not heard, but {self.heard}")


class SystemdTest(BrokerTest):
    def start_under(self, systemd, application):
        process = application.start(environment=systemd.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def test_ready_alive_stopping(self):
        application = self.application("notified")
        application.produce(invoices(100))
        with Systemd() as systemd:
            self.start_under(systemd, application)
            heard = systemd.wait_for("READY=1")
            self.assertIn("STATUS=applies records as they come", heard)
            self.assertEqual(get(application, "/readyz")[0], 200)
            # The watchdog's time is one second.
            self.assertIn("WATCHDOG=1", systemd.listen(1))
            application.stop()
            systemd.listen(0.1)
            self.assertEqual(systemd.heard.count("READY=1"), 1)
            self.assertEqual(systemd.heard.count("STOPPING=1"), 1)

    def test_without_its_broker_it_is_alive_and_says_so(self):
        with Broker() as broker, Systemd() as systemd:
            application = self.application("waiting", broker=broker)
            self.start_under(systemd, application)
            systemd.wait_for("READY=1")
            broker._command("kill")
            systemd.wait_for("STATUS=no_broker")
            self.assertIn("WATCHDOG=1", systemd.listen(1))
            self.assertEqual(systemd.heard.count("READY=1"), 1)

    def test_of_a_stuck_service_nothing_is_heard(self):
        application = self.application("stuck", admin__stuck_after="1s")
        application.produce(invoices(10))
        with Systemd() as systemd:
            reader, writer = os.pipe()
            self.addCleanup(os.close, reader)
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            process = subprocess.Popen(
                [application.binary, "run", "--state", application.state,
                 *application.arguments()],
                stderr=writer, stdin=subprocess.DEVNULL,
                env={**os.environ, **systemd.environment()})
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            systemd.wait_for("READY=1")
            self.assertIn("WATCHDOG=1", systemd.listen(1))
            application.log.write_bytes(os.read(reader, 65536))
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writer, b"x")
            os.set_blocking(writer, True)
            os.close(writer)
            # The next line of the log is never written.
            heard = systemd.wait_for("STATUS=stuck")
            self.assertEqual(get(application, "/healthz")[0], 503)
            self.assertNotIn("WATCHDOG=1", systemd.listen(3))
            self.assertIsNone(process.poll())
            # Its reader is back.
            self.addCleanup(self.drain(reader).kill)
            systemd.wait_for("WATCHDOG=1")
            self.assertTrue(heard)

    @staticmethod
    def drain(reader):
        return subprocess.Popen(["cat"], stdin=reader, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    import unittest
    unittest.main(verbosity=2)
