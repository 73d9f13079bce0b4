"""What each alert rule is tried on: series as `promtool test rules` writes them, one value a
minute, and at which minute it fires, with which labels. Each has a case that fires and one that
does not."""

TARGET = 'job="rfmstream",instance="a:7367"'


def series(name, labels=""):
    return f"{name}{{{TARGET}{',' if labels else ''}{labels}}}"


def lanes(idle, restoring="0x60", phase="1x60"):
    return {series("rfmstream_lane_idle_seconds", 'lane="0"'): idle,
            series("rfmstream_lane_restoring", 'lane="0"'): restoring,
            series("rfmstream_phase", 'phase="running"'): phase}


def lag(records, held="0x60", commits="0x60"):
    of_partition = 'partition="0"'
    return {series("rfmstream_partition_lag_records", of_partition): records,
            series("rfmstream_partition_held_records", of_partition): held,
            series("rfmstream_commit_duration_seconds_count"): commits}


def outcomes(applied, dead):
    return {series("rfmstream_records_total", 'outcome="applied"'): applied,
            series("rfmstream_records_total", 'outcome="dead_letter"'): dead}


def commits(within_a_second, within_ten):
    name = "rfmstream_commit_duration_seconds_bucket"
    return {series(name, 'le="1"'): within_a_second, series(name, 'le="10"'): within_ten,
            series(name, 'le="+Inf"'): within_ten}


def one(name, values, labels=""):
    return {series(name, labels): values}


# Alert -> (fires, minute, labels besides job and instance), and series that leave it silent.
CASES = {
    "RfmstreamDown": ((one("up", "1x10 0x50"), 20, {}),
                      [one("up", "1x60"), one("up", "1x18 0 1x40")]),
    "RfmstreamAbsent": (({"other": "1x60"}, 20, {"instance": None}), [one("up", "0x60")]),
    "RfmstreamRestarts": (
        (one("process_start_time_seconds", "100x5 200x5 300x5 400x5 500x30"), 24, {}),
        [one("process_start_time_seconds", "100x10 200x50")]),
    "RfmstreamRestarted": (
        (one("process_start_time_seconds", "100x10 200x50"), 20, {}),
        [one("process_start_time_seconds", "100x60"),
         one("process_start_time_seconds", "100x2 200x58")]),
    "RfmstreamMemory": ((one("process_resident_memory_bytes", "4200000000x60"), 20, {}),
                        [one("process_resident_memory_bytes", "3000000000x60"),
                         one("process_resident_memory_bytes", "3e9x17 4.2e9x3 3e9x40")]),
    "RfmstreamNotReady": ((one("rfmstream_ready", "1x5 0x55"), 20, {}),
                          [one("rfmstream_ready", "1x60"),
                           one("rfmstream_ready", "1x17 0x2 1x40")]),
    "RfmstreamBrokerAway": ((one("rfmstream_broker_answers", "1x5 0x55"), 20, {}),
                            [one("rfmstream_broker_answers", "1x60")]),
    "RfmstreamTopicGone": (
        (one("rfmstream_phase", "0x5 1x55", 'phase="awaiting_topics"'), 20,
         {"phase": "awaiting_topics"}),
        [one("rfmstream_phase", "1x60", 'phase="running"')]),
    "RfmstreamRebuildLoop": (
        (one("rfmstream_rebuilds_total", "0+1x60", 'reaction="rebuild"'), 20, {}),
        [one("rfmstream_rebuilds_total", "0x10 1x50", 'reaction="rebuild"'),
         one("rfmstream_rebuilds_total", "0+1x60", 'reaction="await_topics"')]),
    "RfmstreamStateSetAside": (
        (one("rfmstream_rebuilds_total", "0x10 1x50", 'reaction="set_aside"'), 20,
         {"reaction": "set_aside"}),
        [one("rfmstream_rebuilds_total", "1x60", 'reaction="set_aside"')]),
    # Supervision ends the process 140 s after the lane has stopped.
    "RfmstreamLaneStuck": ((lanes("0x17 70 130 0x40"), 19, {"lane": "0"}),
                           [lanes("0x60"), lanes("0x17 35x3 0x40"),
                            lanes("0x10 60+60x50", restoring="1x60"),
                            lanes("0x10 60+60x50", phase="0x60")]),
    "RfmstreamHeldBack": ((one("rfmstream_lane_held_back", "1x60", 'lane="1"'), 20, {"lane": "1"}),
                          [one("rfmstream_lane_held_back", "0x60", 'lane="1"')]),
    "RfmstreamClockJumps": ((one("rfmstream_clock_jumps_total", "0x10 1x50"), 20, {}),
                            [one("rfmstream_clock_jumps_total", "3x60")]),
    "RfmstreamNoCommits": ((lag("5x60"), 20, {}),
                           [lag("5x60", commits="0+10x60"), lag("0x60"),
                            lag("5x60", held="5x60"), lag("0x15 5x2 0x43")]),
    "RfmstreamLagGrowing": ((lag("0+2000x60"), 40, {}),
                            [lag("0+10x60"), lag("200000-2000x60"), lag("20000x60")]),
    "RfmstreamLagOld": (
        (one("rfmstream_partition_lag_seconds", "1000x60", 'partition="0"'), 20, {}),
        [one("rfmstream_partition_lag_seconds", "60x60", 'partition="0"')]),
    "RfmstreamCommitsSlow": ((commits("0+1x60", "0+2x60"), 30, {}),
                             [commits("0+2x60", "0+2x60")]),
    "RfmstreamDeadLetters": ((outcomes("0+90x60", "0+10x60"), 20, {}),
                             [outcomes("0+9999x60", "0+1x60"), outcomes("0x60", "0x60")]),
    "RfmstreamWaitsForModel": ((lag("9x60", held="9x60"), 20, {}),
                               [lag("9x60"), lag("9x60", held="0x10 9x8 0x42")]),
    "RfmstreamModelStale": ((one("rfmstream_model_age_seconds", "3100000x80"), 70, {}),
                            [one("rfmstream_model_age_seconds", "700000x80")]),
    "RfmstreamModelHeld": ((one("rfmstream_model_held_seconds", "1300000x80"), 70, {}),
                           [one("rfmstream_model_held_seconds", "600000x80"),
                            one("rfmstream_model_held_seconds", "1300000x50 0x30")]),
    "RfmstreamWriteStops": ((one("rfmstream_rocksdb_write_stops_total", "0x15 2x45"), 20, {}),
                            [one("rfmstream_rocksdb_write_stops_total", "7x60")]),
    "RfmstreamDiskFull": ((one("rfmstream_state_disk_free_bytes", "3e9x5 1e9x55"), 20, {}),
                          [one("rfmstream_state_disk_free_bytes", "3e9x60"),
                           one("rfmstream_state_disk_free_bytes", "3e9x17 1e9x2 3e9x40")]),
    "RfmstreamStoreErrors": (
        (one("rfmstream_rocksdb_background_errors_total", "0x15 1x45"), 20, {}),
        [one("rfmstream_rocksdb_background_errors_total", "1x60")]),
}
