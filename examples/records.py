"""Records of a topic, each handled before its offset is committed: the part that the other examples
share."""

import argparse

from confluent_kafka import Consumer, KafkaError, KafkaException


def arguments(text, topic="segment-transitions"):
    """The options that every example has."""
    parser = argparse.ArgumentParser(description=text.split("\n", maxsplit=1)[0])
    parser.add_argument("brokers", help="host:port, comma-separated")
    parser.add_argument("--topic", default=topic, help="of the transitions")
    parser.add_argument("--once", action="store_true", help="end where the topic ends")
    return parser


def records(brokers, topic, group, once):
    """Yields (key, headers, value). An offset is stored when the next record is asked for, so what
    was not finished comes again after a crash: handling it twice must do no harm."""
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",  # Else records of aborted transactions are seen, too.
        "enable.auto.offset.store": False, "enable.partition.eof": True})
    assigned, ended = set(), set()
    consumer.subscribe([topic], on_assign=lambda _, partitions: assigned.update(
        partition.partition for partition in partitions))
    try:
        while not (once and assigned and ended >= assigned):
            message = consumer.poll(0.1)
            if message is None:
                continue
            if message.error() is not None:
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(message.error())
                ended.add(message.partition())
                continue
            headers = {name: value.decode() for name, value in message.headers() or ()}
            yield message.key().decode(), headers, message.value()
            consumer.store_offsets(message)
    finally:
        consumer.close()  # Commits what is stored.
