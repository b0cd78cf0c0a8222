#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "bench/peers/echo_path.h"

namespace farm::bench {

/// A path by its name in tables and options, and the sizes that it is measured at unless asked
/// otherwise.
struct PathEntry {
    std::string_view name;
    std::function<Result<std::unique_ptr<EchoPath>>(const PathOptions&)> make;
    std::size_t least_bytes{0};
    std::size_t most_bytes{std::numeric_limits<std::size_t>::max()};
    bool needs_triton{false};
};

std::span<const PathEntry> path_list();
/// Null when there is no such path.
const PathEntry* find_path(std::string_view name);
std::string path_names();  ///< "zmq, zmq_proxy, ...", for error texts

// zmq_path.cc
Result<std::unique_ptr<EchoPath>> make_zmq_path(const PathOptions& options);
Result<std::unique_ptr<EchoPath>> make_zmq_proxy_path(const PathOptions& options);
Result<std::unique_ptr<EchoPath>> make_zmq_chunked_path(const PathOptions& options);
// grpc_path.cc
Result<std::unique_ptr<EchoPath>> make_grpc_path(const PathOptions& options);
// farm_path.cc
/// `placed`: questions are made in memory of the client library, as Triton's clients do theirs.
enum class FarmKind {
    routed,
    routed_curve,
    routed_read,
    direct,
    same_host,
    same_host_read,
    same_host_placed,
    same_host_placed_read,
};
Result<std::unique_ptr<EchoPath>> make_farm_path(const PathOptions& options, FarmKind kind);
// triton_grpc_path.cc, triton_http_path.cc
enum class TritonMemory { in_message, shared, shared_read };
Result<std::unique_ptr<EchoPath>> make_triton_path(const PathOptions& options, TritonMemory memory);
Result<std::unique_ptr<EchoPath>> make_triton_http_path(const PathOptions& options);

}  // namespace farm::bench
