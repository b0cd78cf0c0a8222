#pragma once

#include <string>

namespace farm::bench {

/// gRPC's echo server of grpc_path.cc, for ever.
int serve_grpc(const std::string& address);

}  // namespace farm::bench
