#include "bench/peers/path_list.h"

#include <array>

namespace farm::bench {
namespace {

constexpr std::size_t megabyte = 1 << 20;
constexpr std::size_t any = std::numeric_limits<std::size_t>::max();

auto farm_path(FarmKind kind) {
    return [kind](const PathOptions& options) { return make_farm_path(options, kind); };
}

auto triton(TritonMemory memory) {
    return [memory](const PathOptions& options) { return make_triton_path(options, memory); };
}

const std::array<PathEntry, 17>& entries() {
    static const std::array<PathEntry, 17> list{{
        {"zmq", make_zmq_path, 0, 16 * megabyte},
        {"zmq_chunked", make_zmq_chunked_path, 2 * megabyte, any},
        {"one_frame", make_zmq_path, 100 * megabyte, any},
        {"zmq_proxy", make_zmq_proxy_path, 0, 16 * megabyte},
        {"grpc", make_grpc_path, 0, 16 * megabyte},
        {"triton", triton(TritonMemory::in_message), 0, 16 * megabyte, true},
        {"triton_http", make_triton_http_path, 0, 16 * megabyte, true},
        {"triton_shm", triton(TritonMemory::shared), 0, 16 * megabyte, true},
        {"triton_shm_read", triton(TritonMemory::shared_read), 16 * megabyte, 16 * megabyte, true},
        {"routed", farm_path(FarmKind::routed), 0, any},
        {"routed_read", farm_path(FarmKind::routed_read), 16 * megabyte, 16 * megabyte},
        {"direct", farm_path(FarmKind::direct), 0, any},
        {"same_host", farm_path(FarmKind::same_host), 0, any},
        {"same_host_placed", farm_path(FarmKind::same_host_placed), 0, any},
        {"same_host_read", farm_path(FarmKind::same_host_read), 16 * megabyte, 16 * megabyte},
        {"same_host_placed_read", farm_path(FarmKind::same_host_placed_read), 16 * megabyte,
         16 * megabyte},
        {"routed_curve", farm_path(FarmKind::routed_curve), 0, 16 * megabyte},
    }};
    return list;
}

}  // namespace

std::span<const PathEntry> path_list() { return entries(); }

const PathEntry* find_path(std::string_view name) {
    for (const PathEntry& entry : entries()) {
        if (entry.name == name) return &entry;
    }
    return nullptr;
}

std::string path_names() {
    std::string names;
    for (const PathEntry& entry : entries()) {
        names += (names.empty() ? "" : ", ") + std::string(entry.name);
    }
    return names;
}

}  // namespace farm::bench
