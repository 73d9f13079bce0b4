#!/usr/bin/env python3
"""The published schema of [segmentation.NAME]: it accepts every preset as the program prints it and
the documented defaults, and refuses what the program refuses."""

import copy
import json
import os
import pathlib
import subprocess
import tomllib
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "config/schemas/segmentation.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

REMOVED = object()
# Changes to the first example.
REFUSED = [
    (["surprise"], 1),
    (["scorer"], "median"),
    (["scorer"], "cluster"),  # It has axes.
    (["axes", 0, "name"], REMOVED),
    (["axes", 0, "name"], "fm"),
    (["axes", 0, "quantity"], "age"),
    (["axes", 0, "bins"], 11),
    (["axes", 0, "cuts"], [-1]),
    (["axes", 1, "bounds"], ["10"]),
    (["axes", 1, "margin"], 1),
    (["map"], []),
    (["map"], [{"r": 1}]),
    (["map"], [{"segment": "Here", "r": "2-"}]),
    (["segments", 0, "name"], "none"),
    (["segments", 0, "rank"], -1),
    (["segments", 0, "action"], "call them"),
    (["segments", 1, "actions", 0, "on"], "sideways"),
    (["segments", 1, "actions", 0, "cooldown"], "soon"),
    (["segments", 1, "actions", 1, "if"], {}),
    (["stay"], 7),
]


def changed(path, value):
    example = copy.deepcopy(SCHEMA["examples"][0])
    place = example
    for step in path[:-1]:
        place = place[step]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return example


def rfmstream(*arguments):
    return subprocess.run(
        [os.environ["RFM_BIN"], *arguments], capture_output=True, text=True, check=False)


class SegmentationSchema(unittest.TestCase):
    def test_is_a_schema_and_accepts_its_examples(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        for example in SCHEMA["examples"]:
            VALIDATOR.validate(example)

    def test_accepts_the_documented_defaults(self):
        defaults = tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))
        self.assertEqual(set(defaults["segmentation"]), {"rfm", "cluster", "churn"})
        for table in defaults["segmentation"].values():
            VALIDATOR.validate(table)

    def test_accepts_every_preset(self):
        listed = rfmstream("segments", "list").stdout.splitlines()[1:]
        names = [line.split()[0] for line in listed if not line.startswith(" ")]
        self.assertGreater(len(names), 10)
        for name in names:
            with self.subTest(name):
                toml = rfmstream("segments", "show", name, "--toml").stdout
                VALIDATOR.validate(tomllib.loads(toml)["segmentation"][name])

    def test_knows_every_key(self):
        shown = rfmstream("config", "show").stdout
        keys = {line.split()[0].split(".")[2] for line in shown.splitlines()
                if line.startswith("segmentation.")}
        self.assertEqual(keys, set(SCHEMA["properties"]))

    def test_accepts_given_centroids_and_refuses_wrong_ones(self):
        right = {"scorer": "cluster", "centroids": [
            {"segment": "Near", "r": 9, "f": 14.5, "m": 6000},
            {"segment": "Far", "r": 209.5, "f": 1, "m": 0}],
            "scale": [1.3, 0.7, 1.2], "recency_at": "2011-12-10"}
        VALIDATOR.validate(right)
        for key, value in (("centroids", [{"segment": "Near", "r": 9, "f": 1}]),
                           ("centroids", [{"segment": "Near", "r": -1, "f": 1, "m": 1}]),
                           ("scale", [1, 1]), ("scale", [1, 1, 0]), ("recency_at", "soon")):
            with self.subTest(key=key, value=value):
                self.assertFalse(VALIDATOR.is_valid({**right, key: value}))
        self.assertFalse(VALIDATOR.is_valid({"scorer": "grid", "scale": "1, 1, 1"}))

    def test_refuses_what_is_wrong(self):
        for path, value in REFUSED:
            with self.subTest(path=path, value=value):
                self.assertFalse(VALIDATOR.is_valid(changed(path, value)))


if __name__ == "__main__":
    unittest.main()
