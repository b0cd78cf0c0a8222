#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/core/error.h"

namespace farm {

/// One TrackML event in files: PREFIX-hits.csv and so on.
struct EventFiles {
    std::string name;  ///< "event000000001"
    std::filesystem::path prefix;
};

/// What the arguments of `farm track` name, in their order: a prefix (DIR/event000000001), its hit
/// file, or a folder, which stands for all of its events in the order of their names. Errors:
/// not_found; invalid for one name twice, because the outputs are called by it.
Result<std::vector<EventFiles>> find_events(const std::vector<std::string>& arguments);

}  // namespace farm
