#!/usr/bin/env python3
"""The published AsyncAPI document: it says what the program's defaults, its records and its schemas
say, and the AsyncAPI project's own parser finds it valid.

The parser is an npm package. `./dev test` installs it in build/asyncapi; RFM_ASYNCAPI_DIR may name
another place. Without it that part is skipped, which RFM_REQUIRE_ALL=1 turns into a failure.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import tomllib
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCHEMAS = ROOT / "config/schemas"
DOCUMENT = yaml.safe_load((SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8"))
PARSER = pathlib.Path(os.environ.get("RFM_ASYNCAPI_DIR", ROOT / "build/asyncapi"))
PARSE = """
const {Parser, fromFile} = require('@asyncapi/parser');
fromFile(new Parser(), process.argv[1]).parse().then(({document, diagnostics}) => {
  const errors = diagnostics.filter(d => d.severity === 0);
  for (const d of errors) console.log(d.path.join('/') + ': ' + d.message);
  process.exit(document && errors.length === 0 ? 0 : 1);
});
"""


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(reference):
    """What a reference of the document leads to."""
    file, _, pointer = reference.partition("#")
    place = json.loads((SCHEMAS / file).read_text(encoding="utf-8")) if file else DOCUMENT
    for step in filter(None, pointer.split("/")):
        place = place[step]
    return place


class Document(unittest.TestCase):
    def test_every_reference_leads_somewhere(self):
        found = list(references(DOCUMENT))
        self.assertGreater(len(found), 8)
        for reference in found:
            with self.subTest(reference):
                self.assertTrue(resolved(reference))

    def test_topics_are_those_of_the_defaults(self):
        defaults = tomllib.loads((ROOT / "config/default.toml").read_text(encoding="utf-8"))
        addresses = {name: channel["address"] for name, channel in DOCUMENT["channels"].items()}
        self.assertEqual(addresses, {
            "transitions": defaults["output"]["transitions"],
            "segments": defaults["output"]["segments"],
            "deadLetters": defaults["app"]["name"] + "-dead-letters",
            "receipts": defaults["app"]["name"] + "-receipts",
        })

    def test_headers_and_values_are_those_of_the_records(self):
        message = DOCUMENT["components"]["messages"]["transition"]
        validator = jsonschema.Draft202012Validator(message["headers"])
        golden = (ROOT / "tests/golden/transition_headers.txt").read_text().splitlines()
        headers = [line.split(": ", 1) for line in golden]
        size = len(message["headers"]["required"])
        self.assertEqual(len(headers) % size, 0)
        for begin in range(0, len(headers), size):
            one = dict(headers[begin:begin + size])
            self.assertEqual(set(one), set(message["headers"]["properties"]))
            validator.validate(one)
        self.assertEqual(message["name"], one["ce_type"])
        value = jsonschema.Draft202012Validator(resolved(message["payload"]["$ref"]))
        for line in (ROOT / "tests/golden/transitions.jsonl").read_text().splitlines():
            value.validate(json.loads(line))


class Parser(unittest.TestCase):
    def setUp(self):
        if shutil.which("node") is None or not (PARSER / "node_modules/@asyncapi").exists():
            missing = f"@asyncapi/parser is not in {PARSER}"
            if os.environ.get("RFM_REQUIRE_ALL") == "1":
                self.fail(missing)
            self.skipTest(missing)

    def parse(self, path):
        return subprocess.run(["node", "-e", PARSE, str(path)], cwd=PARSER, capture_output=True,
                              text=True, check=False)

    def test_finds_it_valid(self):
        done = self.parse(SCHEMAS / "asyncapi.yaml")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_refuses_what_is_wrong(self):
        text = (SCHEMAS / "asyncapi.yaml").read_text(encoding="utf-8")
        for right, wrong in (("action: send", "action: shout"),
                             ("'#/channels/segments'", "'#/channels/nothing'"),
                             ("./customer-segments.schema.json", "./nothing.schema.json")):
            with self.subTest(wrong), tempfile.TemporaryDirectory() as directory:
                shutil.copytree(SCHEMAS, directory, dirs_exist_ok=True)
                path = pathlib.Path(directory) / "asyncapi.yaml"
                path.write_text(text.replace(right, wrong), encoding="utf-8")
                self.assertEqual(self.parse(path).returncode, 1)


if __name__ == "__main__":
    unittest.main()
