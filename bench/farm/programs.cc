#include "bench/farm/programs.h"

#include <filesystem>

#include "common/ops/host.h"

namespace farm::bench {

namespace fs = std::filesystem;

std::string build_folder() {
    // Every program of bench/ lies two folders below the root: bench/peers/farm_peers.
    return fs::path(executable_folder()).parent_path().parent_path().string();
}

Result<Programs> find_programs(const std::string& folder) {
    const fs::path build = build_folder();
    const fs::path own = folder;
    const Programs programs =
        folder.empty() ? Programs{(build / "broker/app/farm-broker").string(),
                                  (build / "gpu_worker/app/farm-worker").string(),
                                  (build / "cpu_client/app/farm").string()}
                       : Programs{(own / "farm-broker").string(), (own / "farm-worker").string(),
                                  (own / "farm").string()};
    for (const std::string& program : {programs.broker, programs.worker, programs.tool}) {
        if (!fs::exists(program)) {
            return fail(ErrorCode::not_found,
                        "'" + program + "' is not there: build it, or give --farm-bin FOLDER");
        }
    }
    return programs;
}

std::vector<std::string> on_cores(const std::string& cores) { return {"taskset", "-c", cores}; }

}  // namespace farm::bench
