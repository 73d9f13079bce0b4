#!/usr/bin/env python3
"""Goal: `./dev demo` is what a new user is told: it ends its output with the address of a page that
is there until Ctrl-C, and leaves nothing behind. Help for a task is there at once.
Method: the task script with the tested binary, in a folder and process group of its own; Ctrl-C is
SIGINT to that group. With `--kafka` as first argument only the live one.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(os.environ["RFM_SOURCE_DIR"])
PAGE_PORT = 7367
SECONDS_MAX = 120

CSV = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536366,71053,LIGHT,6,2010-12-02 08:28:00,3.39,17851,France
"""


def is_taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def taken(port):
    """Somebody listens there: the test, where nobody else does."""
    if is_taken(port):
        yield
        return
    with socket.create_server(("127.0.0.1", port)):
        yield


class Demo:
    def __init__(self, folder, *arguments, **variables):
        environment = {name: value for name, value in os.environ.items() if name != "CI"}
        environment |= {"RFM_DEMO_DIR": f"{folder}/demo"} | variables
        self.process = subprocess.Popen(
            [ROOT / "dev", "demo", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=environment, start_new_session=True,
        )
        self.lines = []
        # Whatever hangs is ended, so that no read below waits for ever.
        self.watchdog = threading.Timer(SECONDS_MAX, self.end, [signal.SIGKILL])
        self.watchdog.start()

    def end(self, signal_number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal_number)

    def address(self):
        """What the output ends with."""
        for line in self.process.stdout:
            self.lines.append(line)
            found = re.search(r"Open (http://127\.0\.0\.1:\d+/)", line)
            if found:
                return found.group(1)
        raise AssertionError("".join(self.lines))

    def finished(self):
        """Status and whole output, once every process of it that writes has ended."""
        self.lines += self.process.stdout.readlines()
        status = self.process.wait()
        self.watchdog.cancel()
        return status, "".join(self.lines)


def answer(address):
    with urllib.request.urlopen(address, timeout=30) as response:
        return response.read()


def customers(address):
    """Of all segments, once the service has counted them."""
    for _ in range(SECONDS_MAX):
        try:
            segments = json.loads(answer(f"{address}segments"))["segments"]
            return sum(one["customers"] for one in segments)
        except urllib.error.HTTPError as refusal:
            if refusal.code != 503:
                raise
            time.sleep(1)  # As the refusal asks for.
    raise AssertionError("never counted")


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def demo(self, *arguments, **variables):
        demo = Demo(self.folder, *arguments, **variables)
        self.addCleanup(demo.process.stdout.close)
        self.addCleanup(demo.watchdog.cancel)
        self.addCleanup(demo.end, signal.SIGKILL)
        return demo

    def leave(self, demo, address):
        demo.end(signal.SIGINT)
        status, output = demo.finished()
        self.assertEqual(status, 0, output)
        self.assertIn(address, output.splitlines()[-1])
        self.assertFalse(is_taken(int(address.rsplit(":", 1)[1].strip("/"))))


class Stored(DemoTest):
    def test_a_year_ends_with_its_page_until_it_is_left(self):
        with taken(PAGE_PORT):  # So that no other test's or user's page is in the way.
            demo = self.demo()
            address = demo.address()
            self.assertNotIn(f":{PAGE_PORT}/", address)
            self.assertIn(f"Port {PAGE_PORT} is taken", "".join(demo.lines))
            self.assertGreater(len(answer(address)), 0)
            self.assertEqual(customers(address), 2000)
            self.leave(demo, address)

    def test_a_sheet_of_its_own_is_shown(self):
        sheet = self.folder / "sheet.csv"
        sheet.write_text(CSV)
        with taken(PAGE_PORT):
            demo = self.demo("--csv", str(sheet))
            address = demo.address()
            self.assertEqual(customers(address), 2)
            self.leave(demo, address)

    def test_once_and_ci_end_without_a_page(self):
        sheet = self.folder / "sheet.csv"
        sheet.write_text(CSV)
        for arguments, variables in ((["--once"], {}), ([], {"CI": "true"})):
            status, output = self.demo("--csv", str(sheet), *arguments, **variables).finished()
            self.assertEqual(status, 0, output)
            self.assertNotIn("Open http", output)
            self.assertTrue((self.folder / "demo" / "out" / "transitions.jsonl").exists())


class Live(DemoTest):
    def test_the_page_is_that_of_the_running_service(self):
        with taken(PAGE_PORT):
            demo = self.demo("--kafka")
            address = demo.address()
            pipeline = json.loads(answer(f"{address}pipeline"))
            self.assertFalse(pipeline["stored"])
            self.assertGreater(len(answer(address)), 0)
            self.leave(demo, address)
        self.assertFalse((self.folder / "demo" / "broker" / "pid").exists())


class Tasks(unittest.TestCase):
    def test_help_for_a_bench_builds_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            built = pathlib.Path(folder, "built")
            cmake = pathlib.Path(folder, "cmake")
            cmake.write_text(f"#!/bin/sh\ntouch {built}\nexit 1\n")
            cmake.chmod(0o755)
            environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
            for words in (["--help"], ["-h"], ["boundary", "--help"], ["questions", "--help"],
                          ["--peer-job", "--help"]):
                done = subprocess.run([ROOT / "dev", "bench", *words], env=environment,
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), words)
                self.assertTrue(done.stdout.startswith("usage: "), done.stdout)
            self.assertFalse(built.exists())


if __name__ == "__main__":
    classes = ["Live"] if "--kafka" in sys.argv else ["Stored", "Tasks"]
    unittest.main(argv=[sys.argv[0], "-v", *classes])
