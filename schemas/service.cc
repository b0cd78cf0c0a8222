#include "schemas/service.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace farm {

namespace {

bool is_model_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

/// A leading '.' would make "..", which is a folder and not a model.
bool is_model(std::string_view name) {
    return !name.empty() && name.front() != '.' &&
           std::all_of(name.begin(), name.end(), is_model_char);
}

/// Written in one way only, so that a name can be a key: no sign, no leading zero, not 0.
bool is_version(std::string_view text) {
    if (text.empty() || text.front() == '0') return false;
    std::uint32_t version = 0;
    const auto end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, version);
    return error == std::errc{} && rest == end;
}

std::uint64_t clamped(double nanoseconds) {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    if (nanoseconds <= 0) return 0;
    return nanoseconds >= static_cast<double>(most) ? most
                                                    : static_cast<std::uint64_t>(nanoseconds);
}

}  // namespace

std::string_view to_string(BatchRule rule) {
    switch (rule) {
        case BatchRule::none: return "none";
        case BatchRule::rows: return "rows";
        case BatchRule::pad_mask: return "pad_mask";
        case BatchRule::graph: return "graph";
        case BatchRule::ragged: return "ragged";
    }
    return "unknown";
}

std::string_view to_string(DeviceKind kind) {
    switch (kind) {
        case DeviceKind::cpu: return "cpu";
        case DeviceKind::cuda: return "cuda";
    }
    return "unknown";
}

std::string service_name(std::string_view model, std::uint32_t version) {
    std::string name(model);
    name += '/';
    name += std::to_string(version);
    return name;
}

bool is_service_name(std::string_view name) {
    if (name.size() > limits::name_bytes) return false;
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return is_model(name);
    return is_model(name.substr(0, slash)) && is_version(name.substr(slash + 1));
}

std::uint64_t cost_at(const std::vector<CostPoint>& curve, std::uint32_t rows,
                      std::uint64_t fallback_ns) {
    if (curve.empty()) return fallback_ns;
    const auto above = std::find_if(curve.begin(), curve.end(),
                                    [&](const CostPoint& point) { return point.rows >= rows; });
    if (above == curve.end()) {
        const CostPoint& last = curve.back();
        return clamped(static_cast<double>(last.nanoseconds) * rows /
                       std::max<std::uint32_t>(last.rows, 1));
    }
    // Below the first point nothing was measured: a small run is not known to be any cheaper.
    if (above->rows == rows || above == curve.begin()) return above->nanoseconds;
    const CostPoint& low = *(above - 1);
    const double fraction = static_cast<double>(rows - low.rows) / (above->rows - low.rows);
    return clamped(static_cast<double>(low.nanoseconds) * (1 - fraction) +
                   static_cast<double>(above->nanoseconds) * fraction);
}

namespace {

/// Key, type and length bytes of one field, generously.
constexpr std::size_t field_overhead_bytes = 16;

std::size_t wire_bytes_bound(const std::vector<TensorSpec>& specs) {
    std::size_t bytes = 0;
    for (const TensorSpec& spec : specs) {
        bytes += spec.name.size() + 9 * spec.dims.size() + 4 * field_overhead_bytes;
    }
    return bytes;
}

}  // namespace

std::size_t wire_bytes_bound(const ServiceAd& ad) {
    std::size_t bytes = 24 * field_overhead_bytes + ad.model.size() + ad.device_name.size() +
                        ad.backend.size() + ad.direct_url.size() +
                        std::min(ad.failure.size(), limits::detail_bytes) +
                        field_overhead_bytes * 2 * ad.cost.size();
    for (const Label& label : ad.labels) {
        bytes += label.key.size() + label.value.size() + 2 * field_overhead_bytes;
    }
    return bytes + wire_bytes_bound(ad.signature.inputs) + wire_bytes_bound(ad.signature.outputs);
}

}  // namespace farm
