#include "gpu_worker/repository/data_type.h"

#include <optional>

#include "gpu_worker/repository/config_error.h"

namespace farm {

Result<DType> dtype_of(const std::string& owner, inference::DataType type) {
    const std::string name =
        inference::DataType_IsValid(type) ? inference::DataType_Name(type) : std::to_string(type);
    const std::optional<DType> known = parse_dtype(name);
    if (known) return *known;
    return refuse(owner + " has data_type " + name,
                  type == inference::TYPE_INVALID ? "it is not set" : "it cannot be sent",
                  "use a number type, for example TYPE_FP32");
}

}  // namespace farm
