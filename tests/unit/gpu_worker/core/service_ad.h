#pragma once

#include <cstdint>
#include <string>

#include "schemas/service.h"

namespace farm::testing {

/// What a repository would say of model "m<index>"; with rows it is batched by them.
inline ServiceAd service(std::uint16_t index, std::uint32_t max_rows = 0,
                         std::uint32_t instances = 1) {
    ServiceAd ad;
    ad.index = ServiceIndex{index};
    ad.model = "m" + std::to_string(index);
    ad.max_batch_rows = max_rows;
    ad.batch = max_rows == 0 ? BatchRule::none : BatchRule::rows;
    ad.instance_count = instances;
    ad.max_call_bytes = 1 << 20;
    return ad;
}

}  // namespace farm::testing
