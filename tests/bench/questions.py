#!/usr/bin/python3
"""What it costs lanes to be asked: an application drains a generated history from a local Kafka
while clients ask it for customers, segments, moves and sales at an even rate. Prints how the
questions were answered and, by the product's own counters, what share of the lanes' CPU time went
to them; then floods it, when it has nothing to read, and prints answers a second by path and what
memory it held before and after.

  questions.py [--customers N] [--days N] [--rate N] [--flood SECONDS] [--lanes N] [--partitions N]
"""
import argparse
import collections
import contextlib
import http.client
import json
import pathlib
import random
import re
import subprocess
import tempfile
import threading
import time

from confluent_kafka import Producer

from run import BINARY, BROKER, new_application

CLIENTS = 20
CUSTOMER_SHARE = .97
WHOLE = ["/segments", "/transitions", "/sales", "/customers?sort=monetary&size=50"]


class Service:
    """`rfmstream run`, and the address at which it answers."""

    def __init__(self, work, settings):
        self.log = work / "service.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([BINARY, "run", "--state", work / "state", *settings],
                                            stdout=log, stderr=subprocess.STDOUT)
        self.port = None
        while self.port is None:
            assert self.process.poll() is None, self.log.read_text()
            if found := re.search(r"are at http://127\.0\.0\.1:(\d+)/", self.log.read_text()):
                self.port = int(found[1])

    def ask(self, path):
        with contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def total(self, family):
        _, text = self.ask("/metrics")
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines()
                   if re.match(rf"{family}[{{ ]", line))

    def is_ready(self):
        return self.ask("/readyz")[0] == 200

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


class Clients:
    """Ask at an even rate until they are stopped."""

    def __init__(self, service, customers, rate):
        self.statuses, self.done = collections.Counter(), threading.Event()
        self.service, self.customers, self.gap = service, customers, CLIENTS / rate
        self.threads = [threading.Thread(target=self.go_on, args=(seed,))
                        for seed in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def go_on(self, seed):
        choose = random.Random(seed)
        due = time.monotonic() + self.gap * seed / CLIENTS
        while not self.done.wait(max(0, due - time.monotonic())):
            due += self.gap
            path = f"/customers/{choose.choice(self.customers)}" \
                if choose.random() < CUSTOMER_SHARE else choose.choice(WHOLE)
            self.statuses[self.service.ask(path)[0]] += 1

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def fill_topic(endpoint, work, arguments):
    """The customers, and how many records there are."""
    history = work / "history.jsonl"
    subprocess.run([BINARY, "generate", "--format", "invoices", "--customers",
                    str(arguments.customers), "--days", str(arguments.days), "--output", history],
                   check=True, stderr=subprocess.DEVNULL)
    producer = Producer({"bootstrap.servers": endpoint, "linger.ms": 50, "compression.type": "lz4",
                         "partitioner": "murmur2_random"})
    customers, records = set(), 0
    for line in history.open():
        customer = json.loads(line).get("customer_id") or ""
        customers.add(customer)
        records += 1
        while True:
            try:
                producer.produce("invoices", key=customer, value=line.rstrip("\n"))
                break
            except BufferError:
                producer.poll(.1)
    producer.flush()
    return sorted(customers - {""}), records


def report_drain(service, clients, records):
    families = ["rfmstream_lane_cpu_seconds_total", "rfmstream_query_cpu_seconds_total"]
    before = [service.total(family) for family in families]
    started = time.monotonic()
    clients = clients()
    while service.total("rfmstream_records_total") < records * .99:
        time.sleep(.2)
    lane, query = (service.total(family) - was for family, was in zip(families, before))
    seconds = time.monotonic() - started
    clients.stop()
    asked = sum(clients.statuses.values())
    print(f"{records:,} records in {seconds:.1f} s, {asked / seconds:.0f} questions a second: "
          + ", ".join(f"{count:,} x {status}" for status, count in
                      sorted(clients.statuses.items())))
    print(f"  lanes' CPU time {lane:.2f} s, of it for questions {query:.3f} s: "
          f"{query / lane * 100:.2f} %", flush=True)


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def flood(service, customers, seconds):
    """With wrk, because Python's clients would be what is measured."""
    before = resident_mib(service.process.pid)
    for path in ("/healthz", "/metrics", "/segments", f"/customers/{customers[0]}"):
        printed = subprocess.run(
            ["wrk", "-t", "1", "-c", "16", "-d", f"{seconds}s",
             f"http://127.0.0.1:{service.port}{path}"],
            check=True, capture_output=True, text=True).stdout
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
        print(f"  {path:<24}{rate:>10,.0f} answers/s, "
              f"{int(refused[1]) if refused else 0:,} of them refusals", flush=True)
    print(f"  resident {before:,.0f} MiB before, {resident_mib(service.process.pid):,.0f} after")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--flood", type=int, default=5, metavar="SECONDS",
                        help="for each path, with wrk")
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--partitions", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rfmstream-questions.") as name:
        work = pathlib.Path(name)
        endpoint = subprocess.run([BROKER, "start", "--dir", work / "broker", "--limits",
                                   "production"],
                                  check=True, capture_output=True, text=True).stdout.strip()
        try:
            settings = new_application(endpoint, "questions", arguments)
            customers, records = fill_topic(endpoint, work, arguments)
            service = Service(work, [*settings, "--set", "input.format=invoices"])
            try:
                while not service.is_ready():
                    time.sleep(.1)
                report_drain(service, lambda: Clients(service, customers, arguments.rate), records)
                if arguments.flood:
                    flood(service, customers, arguments.flood)
            finally:
                service.stop()
        finally:
            subprocess.run([BROKER, "stop", "--dir", work / "broker"], check=False)


if __name__ == "__main__":
    main()
