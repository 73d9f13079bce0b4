#!/usr/bin/python3
"""Speed of the whole job, as shipped: Online Retail repeated, drained from a preloaded Kafka topic
and replayed from a file, with exactly-once, changelog, all segmentations and training on. Prints
events/s, CPU by thread and what was done, and checks the final rows against a recomputation
straight from the CSV. After each drain the same records go through the Kafka client and the broker
once more with nothing computed between: what these two take by themselves. (The first drain finds
the broker cold, what follows it does not.)

  run.py [--copies N] [--partitions N] [--lanes N] [--runs N] [--only kafka|file]
         [--broker-jit full|quick]

Compare figures of one run only: other work on the machine changes them.
"""
import argparse
import csv
import decimal
import json
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

from confluent_kafka import Consumer, Producer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/kafka"))

from application import read_topic  # noqa: E402

BINARY = pathlib.Path(os.environ.get("RFM_BIN", ROOT / "build/release/rfmstream"))
DATA = pathlib.Path(os.environ.get("RFM_DATA_DIR") or ROOT / "../shared/data")
PASS_THROUGH = BINARY.parent / "tests/pass_through"
BROKER = ROOT / "docker/kafka/broker"
TICK = os.sysconf("SC_CLK_TCK")
CLOSING = "end"  # No leading C: that is a cancellation, in either case.
SAMPLE_SECONDS = 0.05


def thread_cpu(pid):
    """CPU seconds by thread name, of a running process."""
    cpu = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        cpu[(task.name, name)] = (int(fields[11]) + int(fields[12])) / TICK
    return cpu


def by_stage(cpu):
    """CPU seconds by thread name without its number, the most first."""
    stages = {}
    for (_, name), seconds in cpu.items():
        stage = re.sub(r"[-:#]?\d+$", "", name).strip()
        stages[stage] = stages.get(stage, 0) + seconds
    return dict(sorted(stages.items(), key=lambda item: -item[1]))


class Sampler(threading.Thread):
    """Keeps the last seen CPU time of every thread, also of those that have ended."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.cpu, self.peak_bytes, self.ended = pid, {}, 0, threading.Event()

    def run(self):
        while not self.ended.wait(SAMPLE_SECONDS):
            try:
                self.cpu.update(thread_cpu(self.pid))
                status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
            except OSError:
                return
            peak = re.search(r"VmHWM:\s+(\d+)", status)
            self.peak_bytes = max(self.peak_bytes, int(peak[1]) * 1024 if peak else 0)

    def by_stage(self):
        return by_stage(self.cpu)


def measured(arguments):
    """Runs rfmstream to its end: (seconds, CPU seconds, sampler, output)."""
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([BINARY, *arguments], stdout=log, stderr=subprocess.STDOUT)
        sampler = Sampler(process.pid)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.ended.set()
        sampler.join()
        log.seek(0)
        output = log.read()
    if process.returncode != 0:
        sys.exit(f"rfmstream {' '.join(map(str, arguments))} failed:\n{output}")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, sampler, output


def oracle(csv_text):
    """Customer id -> (last purchase, frequency, net monetary), from the CSV alone."""
    customers = {}
    for row in csv.DictReader(csv_text):
        customer = row["CustomerID"].split(".")[0]
        if not customer or row["InvoiceNo"].startswith("A"):
            continue
        entry = customers.setdefault(customer, ["", set(), decimal.Decimal(0)])
        entry[2] += int(row["Quantity"]) * decimal.Decimal(row["UnitPrice"])
        if not row["InvoiceNo"].startswith("C"):
            entry[0] = max(entry[0], row["InvoiceDate"])
            entry[1].add(row["InvoiceNo"])
    return {customer: (last, len(invoices), net)
            for customer, (last, invoices, net) in customers.items()}


def check_rows(state, expected, copies, settings=()):
    export = subprocess.run(
        [BINARY, "export", "customers", "--all", "--state", state, "--output", "-", *settings],
        check=True, capture_output=True, text=True).stdout
    rows = [row for row in csv.DictReader(export.splitlines())
            if not row["customer_id"].startswith(CLOSING)]
    differences = 0
    for row in rows:
        last, frequency, net = expected[row["customer_id"].rsplit("-", 1)[0]]
        same = int(row["frequency"]) == frequency and decimal.Decimal(row["monetary"]) == net
        # "2010-12-01T08:26:00.000Z" against "2010-12-01 08:26:00"
        same &= row["last_purchase"][:19].replace("T", " ") == last[:19] or frequency == 0
        differences += not same
    differences += abs(len(rows) - copies * len(expected))
    return len(rows), differences


def report(title, events, seconds, cpu, sampler, broker_cpu=None):
    print(f"\n{title}")
    print(f"  {events:,} events in {seconds:.2f} s: {events / seconds:,.0f} events/s")
    print(f"  CPU {cpu:.2f} s, {cpu / events * 1e9:,.0f} ns an event; "
          f"peak memory {sampler.peak_bytes / 2**20:,.0f} MiB")
    for stage, seconds_used in sampler.by_stage().items():
        if seconds_used / cpu >= .005:
            print(f"    {stage:<22}{seconds_used / events * 1e9:>8,.0f} ns an event"
                  f"{seconds_used / cpu * 100:>7.1f} %")
    if broker_cpu is not None:
        all_threads = sum(broker_cpu.values())
        print(f"  broker beside it: CPU {all_threads:.2f} s, "
              f"{all_threads / events * 1e9:,.0f} ns an event")
        for stage, seconds_used in broker_cpu.items():
            if seconds_used / all_threads >= .05:
                print(f"    {stage:<22}{seconds_used / events * 1e9:>8,.0f} ns an event")


def bench_file(work, expected, arguments):
    history = work / "history.jsonl"
    started = time.monotonic()
    subprocess.run(
        [BINARY, "import", work / "online_retail.csv", "--as", "lines", "--copies",
         str(arguments.copies), "--output", history], check=True, stderr=subprocess.DEVNULL)
    print(f"prepared {history.stat().st_size / 2**20:,.0f} MiB of lines "
          f"in {time.monotonic() - started:.1f} s")
    seconds, cpu, sampler, output = measured(
        ["replay", "--input", history, "--format", "lines", "--state", work / "file-state",
         "--output", work / "file-out", "--summary"])
    events = int(re.search(r"records read\s+(\d+)", output)[1])
    report("Replay from a file", events, seconds, cpu, sampler)
    for line in output.splitlines():
        if line.startswith("Model: ") or "invoices settled" in line or " transitions in " in line:
            print(f"  {line.strip()}")
    customers, differences = check_rows(work / "file-state", expected, arguments.copies)
    print(f"  {customers:,} customers, {differences} differ from the recomputation")
    print(f"  {resident_bytes(work, history) / customers:,.0f} bytes of memory a customer, "
          "his invoices included")
    history.unlink()
    return differences


def resident_bytes(work, history):
    """Peak memory of a process that has restored all rows, over that of one without any; both
    with all versions, and without the samples that training keeps. The first start after the
    replay also brings the store's log into its tables, so the second counts."""
    nothing = work / "nothing.jsonl"
    nothing.touch()
    peaks = []
    for source, state, output in ((history, "file-state", "file-out"),
                                  (nothing, "no-state", "no-out")):
        for _ in range(2):
            *_, sampler, _ = measured(["replay", "--input", source, "--format", "lines", "--state",
                                       work / state, "--output", work / output, "--model-log",
                                       work / "file-out/model.jsonl"])
        peaks.append(sampler.peak_bytes)
    return peaks[0] - peaks[1]


def topic_counts(brokers, topics):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench"})
    counts = {}
    for topic in topics:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)
                for p in partitions]
        counts[topic] = sum(high - low for low, high in ends)
    consumer.close()
    return counts


def epochs_trained(brokers, topic):
    keys = {record.key for record in read_topic(brokers, topic)}
    return sum(key.startswith(b"version/") for key in keys)


def produce_closing(brokers, partitions):
    """One later event a partition, so that the last invoices settle and can be compared."""
    producer = Producer({"bootstrap.servers": brokers})
    for partition in range(partitions):
        customer = f"{CLOSING}{partition}"
        line = {"InvoiceNo": customer, "StockCode": "1", "Description": "", "Quantity": 1,
                "InvoiceDate": "2011-12-09T13:00:00Z", "UnitPrice": 1, "CustomerID": customer,
                "Country": ""}
        producer.produce("invoices", key=customer, value=json.dumps(line), partition=partition)
    producer.flush()


def new_application(endpoint, name, arguments, more=()):
    """Creates its topics and returns its settings."""
    settings = [*more, "--set", f"kafka.brokers={endpoint}",
                "--set", f"run.lanes={arguments.lanes}", "--set", f"app.name={name}",
                "--set", "admin.listen=127.0.0.1:0",
                "--set", f"output.transitions={name}-transitions",
                "--set", f"output.segments={name}-segments"]
    subprocess.run([BINARY, "topics", "create", *settings, "--partitions",
                    str(arguments.partitions)], check=True, stdout=subprocess.DEVNULL)
    return settings


class BrokerCpu:
    """CPU seconds of the broker by thread name, since this was made."""

    def __init__(self, work):
        self.pid = int((work / "broker/pid").read_text())
        self.before = by_stage(thread_cpu(self.pid))

    def since(self):
        return {stage: seconds - self.before.get(stage, 0)
                for stage, seconds in by_stage(thread_cpu(self.pid)).items()}


def pass_through(work, endpoint, name, arguments, drained_per_second):
    """What application `name` read and wrote, through the client and the broker alone."""
    target = f"{name}-bare"
    new_application(endpoint, target, arguments)
    broker = BrokerCpu(work)
    printed = subprocess.run(
        [PASS_THROUGH, endpoint, name, target, str(arguments.partitions), str(arguments.lanes)],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    read, written, seconds, cpu = map(float, re.findall(r"[\d.]+", printed))
    per_second = read / seconds
    print(f"  the same {read:,.0f} records in and {written:,.0f} out with nothing computed: "
          f"{per_second:,.0f} events/s")
    print(f"    CPU {cpu:.2f} s and {sum(broker.since().values()):.2f} s of the broker; "
          f"rfmstream reached {drained_per_second / per_second * 100:.0f} % of it")


def drain(work, endpoint, expected, arguments, run):
    """One application reads the whole topic. Returns how many rows differ."""
    name = f"bench{run}"
    settings = new_application(endpoint, name, arguments)
    broker = BrokerCpu(work)
    seconds, cpu, sampler, output = measured(
        ["run", "--state", work / name, "--until-caught-up", *settings])
    broker_cpu = broker.since()
    events = int(re.findall(r"([\d,]+) records \(", output)[-1].replace(",", ""))
    title = (f"Drained from Kafka, {arguments.partitions} partitions, {arguments.lanes} lanes, "
             f"run {run} of {arguments.runs}")
    report(title, events, seconds, cpu, sampler, broker_cpu)
    topics = [f"{name}-transitions", f"{name}-segments", f"{name}-changelog", f"{name}-model"]
    settled = re.search(r"([\d,]+) invoices settled", output)[1]
    print(f"  {settled} invoices settled, {epochs_trained(endpoint, topics[-1])} epochs trained")
    for topic, count in topic_counts(endpoint, topics).items():
        print(f"  {topic:<24}{count:>12,} records and markers")
    customers, differences = check_rows(work / name, expected, arguments.copies, settings)
    print(f"  {customers:,} customers, {differences} differ from the recomputation")
    pass_through(work, endpoint, name, arguments, events / seconds)
    return differences


def bench_kafka(work, expected, arguments):
    """Several runs on one broker: the first finds it cold, its code not yet compiled."""
    endpoint = subprocess.run(
        [BROKER, "start", "--dir", work / "broker", "--jit", arguments.broker_jit,
         "--limits", "production"], check=True, capture_output=True, text=True).stdout.strip()
    try:
        settings = ["--set", f"kafka.brokers={endpoint}"]
        subprocess.run(
            [BINARY, "topics", "create", *settings, "--partitions", str(arguments.partitions)],
            check=True, stdout=subprocess.DEVNULL)
        started = time.monotonic()
        subprocess.run(
            [BINARY, "import", work / "online_retail.csv", "--as", "lines", "--copies",
             str(arguments.copies), "--kafka", *settings], check=True, stderr=subprocess.DEVNULL)
        produce_closing(endpoint, arguments.partitions)
        print(f"\npreloaded the topic in {time.monotonic() - started:.1f} s")
        return sum(drain(work, endpoint, expected, arguments, run + 1)
                   for run in range(arguments.runs))
    finally:
        subprocess.run([BROKER, "stop", "--dir", work / "broker"], check=False)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=["kafka", "file"])
    parser.add_argument("--broker-jit", choices=["full", "quick"], default="full")
    arguments = parser.parse_args()
    if arguments.only != "file" and not PASS_THROUGH.exists():
        sys.exit(f"{PASS_THROUGH} is missing: ./dev build release")
    packed = DATA / "online_retail.csv.xz"
    if not packed.exists():
        sys.exit(f"{packed} is missing: set RFM_DATA_DIR to the folder that holds it")
    differences = 0
    with tempfile.TemporaryDirectory(prefix="rfmstream-bench.") as name:
        work = pathlib.Path(name)
        text = lzma.open(packed, "rt", encoding="utf-8", newline="").read()
        (work / "online_retail.csv").write_text(text, encoding="utf-8", newline="")
        expected = oracle(text.splitlines())
        if arguments.only != "kafka":
            differences += bench_file(work, expected, arguments)
        if arguments.only != "file":
            differences += bench_kafka(work, expected, arguments)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
