"""Online Retail straight from its CSV, as customers' invoices, and the binary under test.

Another code path than the product's: exact integers and decimals, nothing of rfmstream's.
"""

import csv
import dataclasses
import datetime
import decimal
import lzma
import os
import pathlib
import shutil
import subprocess

BINARY = os.environ.get("RFM_BIN", "build/release/rfmstream")
DATA = pathlib.Path(os.environ.get("RFM_DATA_DIR", "../shared/data"))
ARCHIVE = DATA / "online_retail.csv.xz"
DAY_MS = 86_400_000
SKIPPED = 77


@dataclasses.dataclass
class Invoice:
    customer: str
    number: str
    credit: bool
    first_line: int = 0  # Milliseconds since 1970-01-01 UTC.
    last_line: int = 0
    amount: int = 0  # 10^-4 pounds, the sum of its lines.


@dataclasses.dataclass
class Customer:
    """As of one instant."""

    first: int = 0
    last: int = 0
    frequency: int = 0
    sales: int = 0
    credits: int = 0  # >= 0.

    def monetary(self, kind):
        return self.sales - self.credits if kind == "net" else self.sales


def unpack(path):
    """The CSV as a plain file."""
    with lzma.open(ARCHIVE) as packed, open(path, "wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)


def midnight(date):
    """2011-12-10 -> milliseconds since 1970-01-01 UTC."""
    return int(datetime.datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp()) * 1000


def rfc3339(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def milliseconds(text):
    """The reverse of rfc3339."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(at.timestamp() * 1000 + 0.5)


def rows(path):
    """The rows as dicts, in the file's order."""
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


class TimeOfText:
    def __init__(self):
        self.known = {}

    def __call__(self, text):
        if text not in self.known:
            at = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
            self.known[text] = int(at.replace(tzinfo=datetime.timezone.utc).timestamp()) * 1000
        return self.known[text]


def customer_id(text):
    """17850.0 is 17850."""
    head, dot, tail = text.partition(".")
    return head if dot and head.isdigit() and tail and not tail.strip("0") else text


def load_invoices(path):
    """Every invoice and cancellation of a known customer."""
    time_of = TimeOfText()
    price_of = {}
    invoices = {}
    for row in rows(path):
        if not row["CustomerID"] or row["InvoiceNo"].startswith("A"):
            continue
        key = (customer_id(row["CustomerID"]), row["InvoiceNo"])
        price = row["UnitPrice"]
        if price not in price_of:
            units = decimal.Decimal(price) * 10_000
            assert units == int(units), price
            price_of[price] = int(units)
        at = time_of(row["InvoiceDate"])
        invoice = invoices.get(key)
        if invoice is None:
            invoice = Invoice(*key, credit=key[1].startswith("C"), first_line=at, last_line=at)
            invoices[key] = invoice
        invoice.first_line = min(invoice.first_line, at)
        invoice.last_line = max(invoice.last_line, at)
        invoice.amount += int(row["Quantity"]) * price_of[price]
    return list(invoices.values())


def customers_at(invoices, at):
    """All who have an invoice or a cancellation before `at`."""
    customers = {}
    for invoice in invoices:
        if invoice.first_line >= at:
            continue
        assert invoice.last_line < at, f"invoice {invoice.number} spans {rfc3339(at)}"
        customer = customers.setdefault(invoice.customer, Customer())
        if invoice.credit:
            customer.credits += abs(invoice.amount)
            continue
        first = customer.frequency == 0
        customer.first = invoice.last_line if first else min(customer.first, invoice.last_line)
        customer.last = invoice.last_line if first else max(customer.last, invoice.last_line)
        customer.frequency += 1
        customer.sales += invoice.amount
    return customers


def command(*arguments):
    """Runs the binary; its standard output."""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"rfmstream {' '.join(arguments)}: {done.returncode}\n{done.stderr}")
    return done.stdout


def setting_arguments(settings):
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


def money(units):
    """1234567 -> 123.4567"""
    sign = "-" if units < 0 else ""
    return f"{sign}{abs(units) // 10_000}.{abs(units) % 10_000:04d}"
