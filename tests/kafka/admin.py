"""What an administrator does to topics. librdkafka's own calls where confluent_kafka has none."""

import ctypes

from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

_TIMEOUT_MS = 20_000


def delete_topic(endpoint, topic):
    """Returns when it is gone."""
    admin = AdminClient({"bootstrap.servers": endpoint})
    admin.delete_topics([topic], operation_timeout=20)[topic].result(20)
    while topic in admin.list_topics(timeout=10).topics:
        pass


def create_topic(endpoint, topic, partitions=1, **config):
    admin = AdminClient({"bootstrap.servers": endpoint})
    new = NewTopic(topic, partitions, 1,
                   config={key.replace("_", "."): value for key, value in config.items()})
    admin.create_topics([new], operation_timeout=20)[topic].result(20)
    while topic not in admin.list_topics(timeout=10).topics:
        pass


def alter_topic(endpoint, topic, **config):
    """Sets these settings; all others become the broker's defaults."""
    resource = ConfigResource(
        ConfigResource.Type.TOPIC, topic,
        set_config={key.replace("_", "."): value for key, value in config.items()})
    admin = AdminClient({"bootstrap.servers": endpoint})
    admin.alter_configs([resource])[resource].result(20)


def add_partitions(endpoint, topic, count):
    admin = AdminClient({"bootstrap.servers": endpoint})
    admin.create_partitions([NewPartitions(topic, count)], operation_timeout=20)[topic].result(20)
    while len(admin.list_topics(topic, 10).topics[topic].partitions) < count:
        pass


def delete_records(endpoint, topic, partition, before):
    """As retention does: the log begins at `before` afterwards."""
    lib = ctypes.CDLL("librdkafka.so.1")

    def function(name, result, *arguments):
        found = getattr(lib, name)
        found.restype, found.argtypes = result, arguments
        return found

    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    size = ctypes.c_size_t
    conf = function("rd_kafka_conf_new", pointer)()
    why = ctypes.create_string_buffer(512)
    function("rd_kafka_conf_set", number, pointer, text, text, text, size)(
        conf, b"bootstrap.servers", endpoint.encode(), why, 512)
    handle = function("rd_kafka_new", pointer, number, pointer, text, size)(0, conf, why, 512)
    assert handle, why.value
    offsets = function("rd_kafka_topic_partition_list_new", pointer, number)(1)
    function("rd_kafka_topic_partition_list_add", pointer, pointer, text, ctypes.c_int32)(
        offsets, topic.encode(), partition)
    assert function("rd_kafka_topic_partition_list_set_offset", number, pointer, text,
                    ctypes.c_int32, ctypes.c_int64)(offsets, topic.encode(), partition, before) == 0
    request = function("rd_kafka_DeleteRecords_new", pointer, pointer)(offsets)
    queue = function("rd_kafka_queue_new", pointer, pointer)(handle)
    function("rd_kafka_DeleteRecords", None, pointer, ctypes.POINTER(pointer), size, pointer,
             pointer)(handle, (pointer * 1)(request), 1, None, queue)
    event = function("rd_kafka_queue_poll", pointer, pointer, number)(queue, _TIMEOUT_MS)
    assert event and function("rd_kafka_event_error", number, pointer)(event) == 0
    function("rd_kafka_event_destroy", None, pointer)(event)
    function("rd_kafka_DeleteRecords_destroy", None, pointer)(request)
    function("rd_kafka_topic_partition_list_destroy", None, pointer)(offsets)
    function("rd_kafka_queue_destroy", None, pointer)(queue)
    function("rd_kafka_destroy", None, pointer)(handle)
