#pragma once

#include <string>

#include "common/core/error.h"

namespace farm {

/// "problem (why) what to do": what every defect of a config.pbtxt is told as.
inline tl::unexpected<Error> refuse(const std::string& problem, const std::string& why,
                                    const std::string& advice) {
    return fail(ErrorCode::invalid, problem + " (" + why + "): " + advice);
}

}  // namespace farm
