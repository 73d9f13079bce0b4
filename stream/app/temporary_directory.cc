#include "stream/app/temporary_directory.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"

namespace rfm {

absl::StatusOr<TemporaryDirectory> TemporaryDirectory::make() {
  std::string path = (std::filesystem::temp_directory_path() / "rfmstream.XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr)
    return absl::InternalError("no temporary directory can be made for the state");
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace rfm
