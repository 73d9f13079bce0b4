#!/usr/bin/env python3
"""docs/customer-year.md is what the commands in it print. UPDATE_DOCS=1 rewrites it."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BINARY = pathlib.Path(os.environ["RFM_BIN"])
PAGE = ROOT / "docs/customer-year.md"


class CustomerYear(unittest.TestCase):
    maxDiff = None

    def test_the_page_is_what_its_commands_print(self):
        top, commands = re.match(r"(.*?```sh\n(.*?)```\n\n)", PAGE.read_text(), re.S).groups()
        with tempfile.TemporaryDirectory() as directory:
            os.symlink(ROOT / "examples", pathlib.Path(directory) / "examples")
            printed = subprocess.run(
                ["sh", "-ec", commands], cwd=directory, check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env={**os.environ, "PATH": f"{BINARY.parent}:/usr/bin:/bin"}).stdout
        # What the last one prints, a heading lower: the page has a title of its own.
        page = top + "#" + printed[printed.index("# Customer"):]
        if os.environ.get("UPDATE_DOCS") == "1":
            PAGE.write_text(page)
        self.assertEqual(PAGE.read_text(), page, "UPDATE_DOCS=1 rewrites the page")


if __name__ == "__main__":
    unittest.main()
