#include "tests/golden/golden_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace rfm {

namespace {

std::filesystem::path golden_path(const std::string& name) {
  const char* root = std::getenv("RFM_SOURCE_DIR");
  EXPECT_NE(root, nullptr) << "run by ctest, or set RFM_SOURCE_DIR";
  return std::filesystem::path(root == nullptr ? "" : root) / "tests" / "golden" / name;
}

}  // namespace

void expect_golden(const std::string& name, std::string_view text) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden_path(name), std::ios::binary) << text;
    return;
  }
  EXPECT_EQ(read_golden(name), text) << "if that is meant, run with UPDATE_GOLDEN=1";
}

std::string read_golden(const std::string& name) {
  const std::filesystem::path path = golden_path(name);
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path << " is missing: run once with UPDATE_GOLDEN=1";
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string hex_lines(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0xf]);
    if (i % 32 == 31 || i + 1 == bytes.size()) text.push_back('\n');
  }
  return text;
}

std::string bytes_of_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '\n') digits += c;
  }
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace rfm
