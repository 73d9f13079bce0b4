"""Goal: what people's systems write gives through Kafka what it gives from a file: the right values
and the same transitions.
Method: small histories that once went wrong, each through the service on a broker of the test's own
and through file replay under the same settings; a recorded replay gives its bytes again."""

import csv
import json
import pathlib
import tempfile
import unittest

from application import (Application, Broker, apart_from_go_live, by_customer, file_line,
                         read_lines)

# Another customer's, so that the clock has passed what the histories lead to.
CLOSING = "closing"


def event(number, customer, when, total, kind="invoice", **more):
    return customer, {"type": kind, "invoice_no": number, "customer_id": customer,
                      "invoice_time": f"{when}Z", "currency": "GBP", "total": total, **more}


def closing(when):
    return event("last", CLOSING, when, "1")


def shopify_order(number, customer, total, updated, **more):
    return str(number), {
        "id": 5000000000000000000 + number, "created_at": "2024-05-01T10:00:00-04:00",
        "updated_at": updated, "currency": "GBP", "total_price": total, "name": f"#{number}",
        "financial_status": "paid", "customer": customer and {"id": customer}, "test": False,
        "line_items": [{"id": 1, "quantity": 1, "price": total}], "refunds": [], **more}


def database_change(op, before, after, ts_ms):
    return None, {"before": before, "after": after, "op": op, "ts_ms": ts_ms}


class InputsTest(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker().__enter__()
        cls.addClassCleanup(cls.broker.__exit__)
        temporary = tempfile.TemporaryDirectory(prefix="rfmstream-inputs-")
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)

    def both_ways(self, name, records, **settings):
        """Customers as {id: (frequency, monetary)}, and the transitions of each."""
        plain = {key.replace("__", "."): value for key, value in settings.items()}
        application = Application(self.broker, self.directory / name, name, 1,
                                  {"input.format": "invoices", **plain})
        application.produce([(key, None if value is None else json.dumps(value).encode())
                             for key, value in records])
        application.catch_up()
        history = application.directory / "history.jsonl"
        with open(history, "w", encoding="utf-8") as file:
            for key, value in records:
                line = {"key": key, "headers": {}, "value": None} if value is None else value
                print(json.dumps(line), file=file)
        output, state = application.directory / "output", application.directory / "replayed"
        application.command("replay", "--input", history, "--state", state, "--output", output)
        audit = application.directory / "audit"
        application.command("replay", "--input", f"kafka:{application.topic('input')}",
                            "--recorded", "--output", audit)
        reports = [application.command("report", "--input", source, "--output", "-").stdout
                   .replace(str(source), "the source")
                   for source in (history, f"kafka:{application.topic('input')}")]
        self.assertIn("From the source, as of 2024-", reports[0])
        self.assertEqual(*reports)
        live = by_customer(map(file_line, application.read("transitions")))
        self.assertEqual(live, by_customer(read_lines(audit / "transitions.jsonl")))
        identifiers = [line["headers"]["ce_id"] for lines in live.values() for line in lines]
        self.assertEqual(len(set(identifiers)), len(identifiers))
        live = by_customer(apart_from_go_live(line for lines in live.values() for line in lines))
        self.assertEqual(live, by_customer(apart_from_go_live(
            read_lines(output / "transitions.jsonl"))))
        self.assertEqual(len(application.read("dead-letters")),
                         len((output / "dead-letters.jsonl").read_text().splitlines()))
        customers = self.customers(application, application.state)
        self.assertEqual(customers, self.customers(application, state))
        customers.pop(CLOSING, None)
        return customers, live

    def customers(self, application, state):
        shown = application.command("export", "customers", "--all", "--state", state).stdout
        return {row["customer_id"]: (int(row["frequency"]), row["monetary"])
                for row in csv.DictReader(shown.splitlines())}

    def test_credits_corrections_consent_and_erasure(self):
        customers, transitions = self.both_ways("plain", [
            event("I1", "consenting", "2024-01-01T00:00:00", "10", consent=True),
            event("I1", "erased", "2024-01-01T00:00:00", "10"),
            ("erased", None),
            event("I1", "erased", "2024-01-01T00:00:00", "5000"),
            event("1001", "refunded", "2024-01-02T10:00:00", "403.00"),
            event("1001", "refunded", "2024-01-03T10:00:00", "100.00", kind="credit"),
            event("1002", "amended", "2024-01-04T10:00:00", "403.00",
                  updated_at="2024-01-04T10:00:00Z"),
            event("1002", "amended", "2024-01-04T10:00:00", "203.00",
                  updated_at="2024-01-05T10:00:00Z"),
            event("I3", "other", "2024-01-31T00:01:01", "10"),
            event("I2", "consenting", "2024-01-31T00:00:30", "10", consent=False),
            closing("2024-02-01T00:00:00"),
        ], input__fields__revision="/updated_at")
        self.assertEqual(customers, {
            "consenting": (2, "20.0000"), "erased": (1, "5000.0000"), "refunded": (1, "303.0000"),
            "amended": (1, "203.0000"), "other": (1, "10.0000")})
        # The next event of that customer, who consents no more, moves the clock past it.
        by_time = [line["value"] for line in transitions["consenting"]
                   if line["value"]["reason"] == "inactivity"]
        self.assertEqual([(t["effective_at"], t["consent"]) for t in by_time],
                         [("2024-01-31T00:00:00.001Z", True)])

    def test_a_window_that_invoices_and_their_credits_leave(self):
        customers, transitions = self.both_ways("window", [
            event("I1", "once", "2024-01-01T00:00:00", "100"),
            event("I1", "after", "2024-01-01T00:00:00", "100"),
            event("C1", "before", "2024-01-01T00:00:00", "100", kind="credit",
                  original_invoice_no="I1"),
            event("C1", "after", "2024-01-21T00:00:00", "100", kind="credit",
                  original_invoice_no="I1"),
            event("I1", "before", "2024-01-21T00:00:00", "100"),
            event("I2", "after", "2024-01-22T00:00:00", "500"),
            event("I2", "before", "2024-01-22T00:00:00", "500"),
            closing("2024-02-05T00:00:00"),
        ], rfm__window="30d")
        self.assertEqual(customers, {"once": (0, "0.0000"), "after": (1, "500.0000"),
                                     "before": (1, "500.0000")})
        left = [line["value"]["effective_at"] for line in transitions["once"]
                if line["value"]["to"] == "none"]
        self.assertEqual(set(left), {"2024-01-31T00:00:00.001Z"})

    def test_orders_of_a_shop_that_have_keys_of_their_own(self):
        first, later = "2024-05-01T10:00:00-04:00", "2024-05-03T09:00:00-04:00"
        customer = 9000000000000007000
        customers, _ = self.both_ways("shop", [
            shopify_order(1, customer + 1, "403.00", first),
            shopify_order(2, None, "90.00", first),
            shopify_order(3, customer + 2, "10.00", later, cancelled_at=later),
            shopify_order(4, customer + 3, "60.00", first, test=True),
            shopify_order(1, customer + 1, "203.00", later),
        ], input__preset="shopify", input__key="any")
        self.assertEqual(customers, {str(customer + 1): (1, "203.0000"),
                                     str(customer + 2): (0, "0.0000")})

    def test_rows_of_a_database_that_change_and_go(self):
        def row(number, total):
            return {"invoice_no": number, "customer_id": "c1", "invoice_time": 1704103200000,
                    "currency": "GBP", "total": total}

        places = {f"input__fields__{field}": f"/after/{field}, /before/{field}"
                  for field in row("", "")}
        customers, _ = self.both_ways("changes", [
            database_change("c", None, row("1", "12.50"), 1704103200123),
            database_change("c", None, row("2", "7.50"), 1704103200456),
            database_change("c", None, row("3", "BN4="), 1704103200789),
            database_change("d", row("1", "12.50"), None, 1704103300123),
            (None, None),
        ], input__key="any", input__epoch="milliseconds",
            input__types="void if /op = d, invoice", input__fields__revision="/ts_ms", **places)
        self.assertEqual(customers, {"c1": (1, "7.5000")})


if __name__ == "__main__":
    unittest.main(verbosity=2)
