#!/usr/bin/env python3
"""The page over a stored state of Online Retail, in a real browser.

Goal: what is on the screens is what `export`, `inspect` and a recomputation from the CSV say, and
no screen has a fault. Method: a replay to 2011-12-10, `serve --state` without any broker, Chromium.
Skipped without Chromium, Playwright, the page or the data.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import browser as browsers
import page_test
import retail_screens
from retail_screens import retail

UNTIL = "2011-12-10"


class StoredService(retail_screens.RetailService):
    """`rfmstream serve` over a state that a replay has made."""

    def __init__(self, folder):
        self.sheet = retail_screens.new_sheet(folder)
        self.state = pathlib.Path(folder) / "state"
        self.run("replay", "--input", self.sheet, "--until", UNTIL)
        arguments = ["serve", "--state", str(self.state), "--listen", "127.0.0.1:0"]
        self.log = open(pathlib.Path(folder) / "serve.log", "w+")
        self.process = subprocess.Popen([retail.BINARY, *arguments], stderr=self.log)
        for _ in range(600):
            found = re.search(r"127\.0\.0\.1:([1-9][0-9]*)", self.said())
            if found:
                self.address = f"http://127.0.0.1:{found.group(1)}"
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(self.said())

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def run(self, *arguments):
        return retail_screens.run(*arguments, "--state", self.state)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def setUpModule():
    page_test.setUpModule()


def tearDownModule():
    page_test.tearDownModule()


class StoredState(retail_screens.RetailScreens):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.service = StoredService(folder.name)
        cls.addClassCleanup(cls.service.stop)


if __name__ == "__main__":
    reason = retail_screens.reason_to_skip(browsers)
    if reason:
        print(f"skipped: {reason}")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=2)
