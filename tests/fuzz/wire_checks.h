#pragma once

#include "common/core/buffer.h"

/// What must hold for any bytes whatever; a violation aborts. Shared by the fuzz targets and the
/// mutation test of the default tier.
namespace farm::test {

/// `bytes` as frame 0: a named error, or items that survive another round trip and open as an
/// envelope exactly when the frames they declare are there. True when they were accepted.
bool check_header(Bytes bytes);

/// `bytes` as a body of a CALL and of a RESULT: a named error, or tensors of the declared sizes
/// that survive another round trip. True when either was accepted.
bool check_body(Bytes bytes);

}  // namespace farm::test
