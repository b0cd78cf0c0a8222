#include "cpu_client/events/detector.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "cpu_client/events/csv_table.h"
#include "cpu_client/events/file_text.h"

namespace farm {

namespace {

struct ModuleRow {
    std::int32_t volume_id, layer_id, module_id;
    double cx, cy, cz;
    double xu, xv, xw, yu, yv, yw, zu, zv, zw;
    double t, minhu, maxhu, hv, pitch_u, pitch_v;
    std::size_t line;
};

constexpr std::array<CsvColumn<ModuleRow>, 21> columns{{{"volume_id", &ModuleRow::volume_id},
                                                        {"layer_id", &ModuleRow::layer_id},
                                                        {"module_id", &ModuleRow::module_id},
                                                        {"cx", &ModuleRow::cx},
                                                        {"cy", &ModuleRow::cy},
                                                        {"cz", &ModuleRow::cz},
                                                        {"rot_xu", &ModuleRow::xu},
                                                        {"rot_xv", &ModuleRow::xv},
                                                        {"rot_xw", &ModuleRow::xw},
                                                        {"rot_yu", &ModuleRow::yu},
                                                        {"rot_yv", &ModuleRow::yv},
                                                        {"rot_yw", &ModuleRow::yw},
                                                        {"rot_zu", &ModuleRow::zu},
                                                        {"rot_zv", &ModuleRow::zv},
                                                        {"rot_zw", &ModuleRow::zw},
                                                        {"module_t", &ModuleRow::t},
                                                        {"module_minhu", &ModuleRow::minhu},
                                                        {"module_maxhu", &ModuleRow::maxhu},
                                                        {"module_hv", &ModuleRow::hv},
                                                        {"pitch_u", &ModuleRow::pitch_u},
                                                        {"pitch_v", &ModuleRow::pitch_v}}};

Module to_module(const ModuleRow& row) {
    return {row.volume_id,
            row.layer_id,
            row.module_id,
            {row.cx, row.cy, row.cz},
            {row.xu, row.yu, row.zu},
            {row.xv, row.yv, row.zv},
            {row.xw, row.yw, row.zw},
            row.t,
            row.minhu,
            row.maxhu,
            row.hv,
            row.pitch_u,
            row.pitch_v};
}

ModuleKey key_of(const Module& module) {
    return {module.volume_id, module.layer_id, module.module_id};
}

std::string name_of(const Module& module) {
    return "module " + std::to_string(module.module_id) + " of volume " +
           std::to_string(module.volume_id) + ", layer " + std::to_string(module.layer_id);
}

bool is_rotation(const Module& m) {
    constexpr double tolerance = 1e-3;  // the file has six digits
    return std::abs(norm(m.u) - 1) < tolerance && std::abs(norm(m.v) - 1) < tolerance &&
           std::abs(norm(m.w) - 1) < tolerance && std::abs(dot(m.u, m.v)) < tolerance &&
           std::abs(dot(m.u, m.w)) < tolerance && std::abs(dot(m.v, m.w)) < tolerance;
}

std::string text_of(double value) {
    std::string text;
    append_number(text, value);
    return text;
}

/// A length of a module, in mm.
struct Length {
    std::string_view field;
    double value, least, most;
};

/// Why such a module cannot be; empty when it can.
std::string fault_of(const Module& m) {
    constexpr double least = 1e-6, largest = 1e5;
    constexpr double largest_half_thickness = 10;
    constexpr double channel_limit = 1e6;
    constexpr double depth_limit = 200;  // in pitches; digitise() takes up to 40 steps for each
    if (!is_rotation(m)) return "rot_xu to rot_zw are no rotation";
    if (norm(m.centre) > largest) return "its centre is further than 100 m away";
    const auto least_pitch = [&](double half_width) {
        return std::max(half_width / channel_limit, m.half_thickness / depth_limit);
    };
    const Length lengths[] = {{"module_t", m.half_thickness, least, largest_half_thickness},
                              {"module_maxhu", m.max_half_u, least, largest},
                              {"module_minhu", m.min_half_u, least, m.max_half_u},
                              {"module_hv", m.half_v, least, largest},
                              {"pitch_u", m.pitch_u, least_pitch(m.max_half_u), largest},
                              {"pitch_v", m.pitch_v, least_pitch(m.half_v), largest}};
    for (const auto& [field, value, low, high] : lengths) {
        if (value >= low && value <= high) continue;
        return std::string(field) + " is " + text_of(value) + " (" + text_of(low) + " to " +
               text_of(high) + " mm are possible)";
    }
    return {};
}

}  // namespace

double Module::half_width(double at_v) const {
    return min_half_u + (max_half_u - min_half_u) * (at_v + half_v) / (2 * half_v);
}

bool Module::contains(double at_u, double at_v) const {
    return std::abs(at_v) <= half_v && std::abs(at_u) <= half_width(at_v);
}

Result<Detector> Detector::from_modules(std::vector<Module> modules) {
    if (modules.empty()) {
        return fail(ErrorCode::invalid, "the detector has no module (one is needed): give another");
    }
    Detector detector;
    std::sort(modules.begin(), modules.end(),
              [](const Module& a, const Module& b) { return key_of(a) < key_of(b); });
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < modules.size(); ++i) {
        members.push_back(i);
        const bool ends = i + 1 == modules.size() ||
                          modules[i].volume_id != modules[i + 1].volume_id ||
                          modules[i].layer_id != modules[i + 1].layer_id;
        if (ends) detector.layers_.emplace_back(modules, std::exchange(members, {}));
        const Module& m = modules[i];
        const double reach = m.half_v + m.max_half_u;
        detector.outer_radius_ = std::max(detector.outer_radius_, perp(m.centre) + reach);
        detector.half_length_ = std::max(detector.half_length_, std::abs(m.centre.z) + reach);
    }
    detector.modules_ = std::move(modules);
    return detector;
}

std::optional<std::uint32_t> Detector::index_of(ModuleKey key) const {
    const auto place =
        std::lower_bound(modules_.begin(), modules_.end(), key,
                         [](const Module& module, ModuleKey k) { return key_of(module) < k; });
    if (place == modules_.end() || key_of(*place) != key) return std::nullopt;
    return static_cast<std::uint32_t>(place - modules_.begin());
}

Result<Detector> parse_detector(std::string_view text, std::string_view file) {
    const auto rows = parse_csv(text, file, columns, module_limit_count);
    if (!rows) return tl::unexpected(rows.error());
    std::vector<Module> modules;
    for (const ModuleRow& row : *rows) {
        modules.push_back(to_module(row));
        if (const std::string fault = fault_of(modules.back()); !fault.empty()) {
            return fail(ErrorCode::invalid, std::string(file) + ":" + std::to_string(row.line) +
                                                ": " + name_of(modules.back()) + ": " + fault +
                                                ": correct or remove the line");
        }
    }
    auto detector = Detector::from_modules(std::move(modules));
    if (!detector) {
        return fail(ErrorCode::invalid,
                    "file '" + std::string(file) + "': " + detector.error().message);
    }
    const auto twice =
        std::adjacent_find(detector->modules().begin(), detector->modules().end(),
                           [](const Module& a, const Module& b) { return key_of(a) == key_of(b); });
    if (twice == detector->modules().end()) return detector;
    return fail(ErrorCode::invalid, "file '" + std::string(file) + "': " + name_of(*twice) +
                                        " is there twice: remove one of its lines");
}

Result<Detector> read_detector(const std::filesystem::path& file) {
    const auto text = read_file_text(file, detector_file_limit_bytes,
                                     "give a file with the columns of TrackML's detectors.csv");
    if (!text) return tl::unexpected(text.error());
    return parse_detector(*text, file.string());
}

}  // namespace farm
