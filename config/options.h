// From the settings to each component's own Options. `settings` must have passed check_settings().
#pragma once

#include "config/settings.h"
#include "model/training.h"
#include "state/rules.h"
#include "stream/decode/decoder.h"
#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/lane.h"

namespace rfm {

Rules rules(const Settings& settings);
TrainingOptions training_options(const Settings& settings);
DecoderOptions decoder_options(const Settings& settings, KeyPolicy keys);
KafkaOptions kafka_options(const Settings& settings, int lane);
LaneOptions lane_options(const Settings& settings);

}  // namespace rfm
