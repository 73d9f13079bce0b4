// Columns on a terminal.
#pragma once

#include <string>
#include <vector>

namespace rfm {

// Prints lines of columns, all of the same number; the last one is wrapped within 100 columns.
void print_table(const std::vector<std::vector<std::string>>& lines);

}  // namespace rfm
