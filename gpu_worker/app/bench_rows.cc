#include "gpu_worker/app/bench_rows.h"

#include <string>
#include <vector>

#include "gpu_worker/core/combine.h"
#include "gpu_worker/core/input_check.h"
#include "gpu_worker/core/slices.h"

namespace farm {

Result<TensorList> with_rows(const ServiceAd& service, const TensorList& event,
                             std::uint32_t rows) {
    if (service.batch != BatchRule::rows) {
        return fail(ErrorCode::invalid,
                    "--bench-rows cannot be used with model '" + service.model +
                        "' (its batch rule is '" + std::string(to_string(service.batch)) +
                        "', sizes are made by repeating rows): give inputs of these sizes");
    }
    const std::uint32_t most = service.max_batch_rows;
    if (rows == 0 || (most != 0 && rows > most)) {
        return fail(ErrorCode::invalid, "--bench-rows " + std::to_string(rows) + " (model '" +
                                            service.model + "' takes 1 to " + std::to_string(most) +
                                            " rows): stay within max_batch_size");
    }
    const std::uint32_t present = row_count(event);
    const std::vector<const TensorList*> copies((rows - 1) / present + 1, &event);
    return slice_rows(combine_rows(copies, heap_block), 0, rows);
}

}  // namespace farm
