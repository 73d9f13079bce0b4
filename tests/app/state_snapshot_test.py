#!/usr/bin/env python3
"""Goal: a snapshot of a replay's state is that state: what reads it sees the same, and a replay
goes on from it as it would have from the original.
Method: the binary over a generated history that grows; exports and output files are compared."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

BINARY = os.environ.get("RFM_BIN", "")


def by_key(path):
    """Order between customers is not promised, nor how often current segments are said anew."""
    records = {}
    for line in path.read_text().splitlines():
        key = json.loads(line).get("key")
        if path.name == "segments.jsonl":
            records[key] = [line]
        else:
            records.setdefault(key, []).append(line)
    return records


class Snapshot(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.state = self.directory / "state"
        whole = self.directory / "whole.jsonl"
        self.run_binary("generate", "--format", "lines", "--customers", "300", "--days", "120",
                        "--seed", "7", "--output", whole)
        self.lines = whole.read_bytes().splitlines(keepends=True)
        self.history = self.directory / "history.jsonl"
        self.history.write_bytes(b"".join(self.lines[:len(self.lines) // 2]))

    def run_binary(self, *arguments, status=0):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def replay(self, state, output):
        self.run_binary("replay", "--input", self.history, "--format", "lines", "--state", state,
                        "--output", output)

    def snapshot(self, to, status=0, state=None):
        return self.run_binary("state", "snapshot", "--state", state or self.state, "--to", to,
                               status=status)

    def export(self, state):
        return self.run_binary("export", "customers", "--state", state, "--all")

    def test_it_is_read_and_goes_on_as_the_original(self):
        out, out_again = self.directory / "out", self.directory / "out-again"
        self.replay(self.state, out)
        copy = self.directory / "copy"
        said = self.snapshot(f"{copy}/")
        exported = self.export(self.state)
        self.assertEqual(self.export(copy), exported)
        self.assertIn(f"{len(exported.splitlines()) - 1} customers\n", said)
        self.assertIn("next offset", said)
        self.assertFalse(list(self.directory.glob("*.part")))
        # The output files at that time, cut or not, belong to it.
        shutil.copytree(out, out_again)
        self.history.write_bytes(b"".join(self.lines))
        self.replay(self.state, out)
        self.replay(copy, out_again)
        self.assertEqual(self.export(copy), self.export(self.state))
        for file in out.iterdir():
            self.assertEqual(by_key(out_again / file.name), by_key(file), file.name)
        self.replay(self.directory / "at-once", self.directory / "out-at-once")
        self.assertEqual(self.export(copy), self.export(self.directory / "at-once"))
        # A copy of a copy is one as well.
        self.snapshot(self.directory / "copy-of-copy", state=copy)
        self.assertEqual(self.export(self.directory / "copy-of-copy"), self.export(copy))

    def test_it_is_refused_where_something_is_or_nothing_to_copy(self):
        self.replay(self.state, self.directory / "out")
        taken = self.directory / "taken"
        taken.mkdir()
        self.assertIn(f"{taken} is there already", self.snapshot(taken, status=1))
        self.assertEqual(list(taken.iterdir()), [])
        self.assertIn("is inside the state directory",
                      self.snapshot(self.state / "branch" / "x", status=1))
        left = self.directory / "new.part"
        left.mkdir()
        self.assertIn(f"{left} is there already",
                      self.snapshot(self.directory / "new", status=1))
        nothing = self.directory / "nothing"
        self.assertIn("is not a state directory",
                      self.snapshot(self.directory / "x", status=1, state=nothing))
        nothing.mkdir()
        self.assertIn("is not a state directory",
                      self.snapshot(self.directory / "x", status=1, state=nothing))
        self.assertIn("--to", self.run_binary("state", "snapshot", "--state", self.state,
                                              status=2))
        nowhere = self.directory / "no"
        self.assertIn(f"there is no folder {nowhere}/such (a disk that is not mounted?)",
                      self.snapshot(nowhere / "such" / "place", status=1))
        self.assertFalse(nowhere.exists())

    def test_it_is_for_its_owner_alone(self):
        self.replay(self.state, self.directory / "out")
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.snapshot(self.directory / "copy")
        self.assertEqual((self.directory / "copy").stat().st_mode & 0o777, 0o700)

    def test_a_place_that_cannot_be_written_is_refused(self):
        self.replay(self.state, self.directory / "out")
        if os.geteuid() != 0:
            closed = self.directory / "closed"
            closed.mkdir(mode=0o500)
        else:
            closed = pathlib.Path("/proc")  # Root may write anywhere else.
        said = self.snapshot(closed / "copy", status=1)
        self.assertIn("cannot be made", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
