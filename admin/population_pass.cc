#include "admin/population_pass.h"

namespace rfm {

PassContext pass_context(const CommittedState& state) {
  PassContext context{.logs = state.logs_copy};
  context.partitions = static_cast<int>(state.partitions.size());
  for (const Partition* p : state.partitions) {
    const PartitionMeta& meta = p->meta();
    if (!meta.started || meta.watermark == kBeforeAll) continue;
    context.epoch = std::max(context.epoch, epoch_of(meta.watermark));
    context.has_clock = true;
  }
  return context;
}

}  // namespace rfm
