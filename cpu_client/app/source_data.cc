#include "cpu_client/app/source_data.h"

#include <filesystem>
#include <system_error>

#include "common/ops/host.h"

namespace farm {

std::string source_data(std::string_view name) {
    namespace fs = std::filesystem;
    const fs::path relative = fs::path("data") / name;
    const fs::path of_tree = fs::path(executable_folder()) / "../../../.." / relative;
    std::error_code ignored;
    if (!fs::exists(relative, ignored) && fs::exists(of_tree, ignored)) {
        return of_tree.lexically_normal().string();
    }
    return relative.string();
}

}  // namespace farm
