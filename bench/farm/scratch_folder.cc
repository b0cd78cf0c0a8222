#include "bench/farm/scratch_folder.h"

#include <system_error>

#include <unistd.h>

namespace farm::bench {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(const std::string& name)
    : path_(fs::temp_directory_path() / ("farm-" + name + "-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    if (!is_kept_) fs::remove_all(path_, ignored);
}

}  // namespace farm::bench
