#include "bench/service/cnn_model.h"

namespace farm::bench {

Result<void> write_cnn(const std::filesystem::path&) {
    return fail(ErrorCode::unavailable,
                "the CNN is made with libtorch (this build has none: FARM_WITH_TORCH is OFF)");
}

std::string libtorch_version() { return "no libtorch"; }
int libtorch_major_version() { return 0; }

}  // namespace farm::bench
