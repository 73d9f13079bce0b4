#!/usr/bin/env python3
"""Transitions, current segments and receipts as they are written are valid by their schemas."""

import json
import pathlib
import sys
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]


class PublishedRecords(unittest.TestCase):
    def check(self, schema_name, golden_name):
        schema = json.loads((ROOT / "config/schemas" / f"{schema_name}.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        lines = (ROOT / "tests/golden" / golden_name).read_text().splitlines()
        self.assertTrue(lines)
        for number, line in enumerate(lines, 1):
            errors = [error.message for error in validator.iter_errors(json.loads(line))]
            self.assertEqual(errors, [], f"{golden_name}:{number}")

    def test_transitions(self):
        self.check("segment-transition", "transitions.jsonl")

    def test_current_segments(self):
        self.check("customer-segments", "customer_segments.jsonl")

    def test_receipts(self):
        self.check("erasure-receipt", "erasure_receipts.jsonl")


if __name__ == "__main__":
    sys.exit(unittest.main())
