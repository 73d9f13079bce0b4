#!/usr/bin/env python3
"""The published JSON Schemas: they and their examples are valid, and they refuse what is wrong."""

import copy
import json
import pathlib
import re
import sys
import unittest

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAMES = [
    "line-event",
    "invoice-event",
    "segment-transition",
    "customer-segments",
    "dead-letter",
    "erasure-receipt",
    "model-version",
]

# Changes to a schema's first example after which it must not be valid: path and new value
# (REMOVED: take it out).
REMOVED = object()
REFUSED = {
    "line-event": [
        (["InvoiceNo"], REMOVED),
        (["InvoiceNo"], ""),
        (["InvoiceNo"], "x" * 129),
        (["Quantity"], "1e5"),
        (["Quantity"], None),
        (["InvoiceDate"], "yesterday"),
        (["UnitPrice"], "1,50"),
        (["CustomerID"], {}),
    ],
    "invoice-event": [
        (["type"], "order"),
        (["currency"], REMOVED),
        (["invoice_time"], 1291191960000),
        (["lines"], []),
        (["lines"], None),
        (["lines", 0, "quantity"], REMOVED),
        (["lines", 0, "unit_price"], "free"),
        (["total"], "1e2"),
        (["revision"], -1),
        (["consent"], "yes"),
    ],
    "segment-transition": [
        (["seq"], 0),
        (["segmentation"], "R F M"),
        (["to"], ""),
        (["reason"], "whim"),
        (["effective_at"], "2011-05-04"),
        (["from", "since"], "yesterday"),
        (["before", "monetary"], "941.9"),
        (["after", "frequency"], REMOVED),
        (["after", "scores", "r"], 11),
        (["after", "churn_risk"], 1.5),
        (["if_silent", "at"], REMOVED),
        (["held"], {"segment": "Loyal"}),
        (["suppressed_by"], "model"),
        (["action"], REMOVED),
        (["actionable"], False),
        (["holdout"], False),
        (["birth"], "1"),
        (["surprise"], 1),
    ],
    "customer-segments": [
        (["segments"], {}),
        (["segments", "rfm"], ""),
        (["seq", "churn"], -1),
        (["as_of"], REMOVED),
        (["since", "rfm"], "now"),
    ],
    "dead-letter": [
        (["headers", "__streams.errors.exception"], "bad_mood"),
        (["headers", "__streams.errors.offset"], "-1"),
        (["value"], REMOVED),
        (["value_base64"], "/wA="),
        (["value"], {}),
    ],
    "erasure-receipt": [
        (["customer_hash"], "17850"),
        (["offset"], REMOVED),
        (["invoices"], REMOVED),
        (["invoices"], -1),
        (["customer_id"], "17850"),
    ],
    "model-version": [
        (["format"], 2),
        (["cuts", 0, "quantity"], "age"),
        (["cuts", 0, "method"], "fixed"),
        (["cuts", 0, "bins"], 11),
        (["cuts", 0, "cuts"], [1.5]),
        (["cluster_change"], "shuffled"),
        (["clusters", "centroids", 0, "center"], [1, 2]),
        (["surprise"], 1),
    ],
}


def load(name):
    path = ROOT / "config" / "schemas" / f"{name}.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))


def changed(example, path, value):
    result = copy.deepcopy(example)
    place = result
    for step in path[:-1]:
        place = place[step]
    if value is REMOVED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result


class Schemas(unittest.TestCase):
    def test_there_is_one_for_each_format(self):
        files = {path.name for path in (ROOT / "config" / "schemas").glob("*.schema.json")}
        self.assertLessEqual({f"{name}.schema.json" for name in NAMES}, files)

    def test_are_schemas(self):
        for name in NAMES:
            with self.subTest(name):
                schema = load(name)
                self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
                jsonschema.Draft202012Validator.check_schema(schema)
                for key in ("title", "description", "examples"):
                    self.assertTrue(schema[key])

    def test_accept_their_examples(self):
        for name in NAMES:
            validator = jsonschema.Draft202012Validator(load(name))
            for index, example in enumerate(load(name)["examples"]):
                with self.subTest(name, index=index):
                    validator.validate(example)

    def test_refuse_what_is_wrong(self):
        for name in NAMES:
            schema = load(name)
            validator = jsonschema.Draft202012Validator(schema)
            for path, value in REFUSED[name]:
                with self.subTest(name, path=path):
                    wrong = changed(schema["examples"][0], path, value)
                    self.assertFalse(validator.is_valid(wrong))

    def test_unknown_input_fields_are_accepted(self):
        for name in ("line-event", "invoice-event"):
            schema = load(name)
            example = changed(schema["examples"][0], ["of another producer"], [1])
            jsonschema.Draft202012Validator(schema).validate(example)

    def test_know_every_dead_letter_reason(self):
        source = (ROOT / "stream" / "decode" / "event.cc").read_text(encoding="utf-8")
        names = re.search(r"DeadLetterReasonCount> kNames = \{(.*?)\};", source, re.DOTALL).group(1)
        headers = load("dead-letter")["properties"]["headers"]["properties"]
        reasons = headers["__streams.errors.exception"]["enum"]
        self.assertEqual(re.findall(r'"(\w+)"', names), reasons)

    def test_describe_every_field(self):
        def undescribed(schema, path):
            for name, field in schema.get("properties", {}).items():
                if "description" not in field and "$ref" not in field:
                    yield f"{path}.{name}"
                yield from undescribed(field, f"{path}.{name}")

        for name in ("line-event", "invoice-event", "segment-transition", "dead-letter"):
            missing = [field for field in undescribed(load(name), name) if ".since." not in field]
            missing = [field for field in missing if not field.endswith((".total", ".lines"))]
            self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
