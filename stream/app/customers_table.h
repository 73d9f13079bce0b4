// The table `customers`: what a state knows of each of them.
#pragma once

#include <cstdint>
#include <vector>

#include "stream/analyse/customer_figures.h"
#include "stream/app/table_row.h"
#include "stream/record/record.h"

namespace rfm {

enum class Outlook : std::uint8_t { kNone, kNextChange };

// `shown` are the segmentations in force: which columns there are.
std::vector<TableColumn> customers_columns(const Segmentations& shown, Outlook outlook);

void fill_customer(const CustomerFigures& figures, PartitionId partition, Outlook outlook,
                   TableRow& row);

// What to do with a customer who is in these segments: the first action that fits, of the first
// segmentation that has one, in the order in which transitions go before each other. Empty: none.
std::string_view advised_action(const CustomerRow& row, const Rules& rules);

}  // namespace rfm
