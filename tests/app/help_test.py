#!/usr/bin/env python3
"""Goal: --help of every command is complete and in one style: what it does in a line, examples, and
nothing that is wider than a terminal but commands to copy."""

import os
import re
import subprocess
import unittest

BINARY = os.environ["RFM_BIN"]
WIDTH = 100


def help_of(words):
    return subprocess.run([BINARY, *words, "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def commands(words=()):
    text = help_of(words)
    yield list(words), text
    listed = re.search(r"(?m)^Subcommands:\n((?:  .*\n)+)", text)
    for line in listed.group(1).splitlines() if listed else []:
        if name := re.match(r"  (\S+)", line):
            yield from commands([*words, name.group(1)])


class Help(unittest.TestCase):
    def test_every_command_has_its_line_and_an_example(self):
        seen = 0
        for words, text in commands():
            with self.subTest(command=" ".join(words)):
                seen += 1
                self.assertLessEqual(len(text.splitlines()[0]), WIDTH)
                if "Subcommands:" in text:
                    continue
                examples = re.search(r"(?s)\nExamples?:\n(.*)", text)
                self.assertTrue(examples, "no example")
                self.assertIn(f"  rfmstream {' '.join(words)}", examples.group(1))
        self.assertGreater(seen, 35)

    def test_what_is_said_fits_a_terminal(self):
        for words, text in commands():
            with self.subTest(command=" ".join(words)):
                footer = re.split(r"(?m)^Subcommands:\n|^Settings:\n", text)[-1]
                for line in footer.splitlines():
                    # Options, subcommands and commands to copy stand in a line each.
                    if not line.startswith("  "):
                        self.assertLessEqual(len(line), WIDTH, line)


if __name__ == "__main__":
    unittest.main()
