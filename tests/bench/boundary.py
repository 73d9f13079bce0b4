#!/usr/bin/python3
"""A boundary crossed by many: a million customers on one partition and one lane, who bought within
two days, fall silent together for two months, while a few records lead the partition over every
daily boundary, the weekly refits and the first clusters of all. Kafka is a local one, the
transaction timeout the product's own 10 s. Prints the longest time between commits and the largest
transaction; ends with status 1 if a transaction timed out, somebody was fenced or the longest time
is above --limit.

  boundary.py [--customers N] [--days N] [--limit SECONDS] [--broker-jit full|quick]
"""
import argparse
import datetime
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from confluent_kafka import Producer

from run import BINARY, BROKER, measured, new_application, topic_counts

START = datetime.datetime(2024, 1, 1, 6, tzinfo=datetime.timezone.utc)  # A Monday.
BOUGHT_WITHIN = datetime.timedelta(days=2)
SECOND_INVOICE_EVERY = 3  # Every third customer has two.


def invoice(number, customer, at, total):
    return customer, json.dumps({
        "type": "invoice", "invoice_no": str(number), "customer_id": customer,
        "invoice_time": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", "currency": "GBP",
        "total": f"{total}.00"})


def history(customers, days):
    """Invoices in order of time: (customer, JSON)."""
    invoices = customers + customers // SECOND_INVOICE_EVERY
    for i in range(invoices):
        # Who comes again does so in the same order, when all have been there.
        customer = i if i < customers else (i - customers) * SECOND_INVOICE_EVERY
        # Scattered, so that there is something to cluster.
        total = 5 + customer * 7919 % 1009 // (1 + customer % 5)
        yield invoice(i, f"c{customer}", START + BOUGHT_WITHIN * i / invoices, total)
    for day in range(3, days):
        yield invoice(f"d{day}", "daily", START + datetime.timedelta(days=day), 20)


def produce(endpoint, records):
    # CreateTime, as of now: nothing is from the future.
    producer = Producer({"bootstrap.servers": endpoint, "linger.ms": 50, "compression.type": "lz4",
                         "queue.buffering.max.messages": 1_000_000})
    for key, value in records:
        while True:
            try:
                producer.produce("invoices", key=key, value=value, partition=0)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()


def number(text):
    return int(text.replace(",", ""))


def cross(work, endpoint, arguments):
    """Whether all went as it must."""
    subprocess.run([BINARY, "topics", "create", "--set", f"kafka.brokers={endpoint}",
                    "--partitions", "1"], check=True, stdout=subprocess.DEVNULL)
    started = time.monotonic()
    produce(endpoint, history(arguments.customers, arguments.days))
    print(f"preloaded the topic in {time.monotonic() - started:.1f} s", flush=True)
    settings = new_application(endpoint, "boundary",
                               argparse.Namespace(lanes=1, partitions=1))
    settings += ["--set", "input.format=invoices"]
    seconds, cpu, sampler, output = measured(
        ["run", "--state", work / "state", "--until-caught-up", *settings])
    gap, records, kibibytes = map(number, re.search(
        r"longest time between commits ([\d,]+) ms, largest transaction ([\d,]+) records, "
        r"([\d,]+) KiB", output).groups())
    commits = re.findall(r"([\d,]+) commits", output)[-1]
    transitions = re.findall(r"([\d,]+) transitions", output)[-1]
    rebuilt = [line for line in output.splitlines() if "rebuilding" in line]
    print(f"{arguments.customers:,} customers, {arguments.days} days on one lane: "
          f"{seconds:.1f} s, CPU {cpu:.1f} s, peak memory {sampler.peak_bytes / 2**20:,.0f} MiB")
    logged = topic_counts(endpoint, ["boundary-model"])["boundary-model"]
    print(f"  {transitions} transitions, {commits} commits, {logged} records in the model log")
    print(f"  longest time between commits   {gap / 1000:.2f} s (limit {arguments.limit:g} s)")
    print(f"  largest transaction            {records:,} records, {kibibytes / 1024:,.1f} MiB")
    print(f"  fenced or timed out            {len(rebuilt)} times")
    for line in rebuilt:
        print(f"    {line}")
    return not rebuilt and gap <= arguments.limit * 1000


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=66)
    parser.add_argument("--limit", type=float, default=2)
    parser.add_argument("--broker-jit", choices=["full", "quick"], default="full")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rfmstream-boundary.") as name:
        work = pathlib.Path(name)
        endpoint = subprocess.run(
            [BROKER, "start", "--dir", work / "broker", "--jit", arguments.broker_jit,
             "--limits", "production"], check=True, capture_output=True, text=True).stdout.strip()
        try:
            good = cross(work, endpoint, arguments)
        finally:
            subprocess.run([BROKER, "stop", "--dir", work / "broker"], check=False)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
