#include "cpu_client/app/input_maker.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <random>

#include <fmt/format.h>

#include "common/ops/npy.h"

namespace farm {

namespace {

using Random = std::mt19937_64;

bool is_edge_index(const TensorSpec& spec) {
    return spec.type == dtype::i64 && spec.name.find("edge_index") != std::string::npos &&
           spec.dims.size() == 2 && spec.dims[0] == 2;
}

bool fits(const Shape& shape, const Shape& dims) {
    return std::equal(shape.begin(), shape.end(), dims.begin(), dims.end(),
                      [](std::int64_t length, std::int64_t dim) {
                          return length >= 0 && (dim == -1 || length == dim);
                      });
}

tl::unexpected<Error> unfit(const TensorSpec& spec, std::string_view what, DType type,
                            const Shape& shape) {
    return fail(ErrorCode::invalid,
                fmt::format("{} of input '{}' is {} {} (the model takes {} {}): give one that fits",
                            what, spec.name, to_string(type), to_string(shape),
                            to_string(spec.type), to_string(spec.dims)));
}

std::int64_t rows_of(const ServiceAd& service, const InputChoices& choices) {
    if (choices.rows > 0) return choices.rows;
    // Otherwise the first dimension counts jets or the like, and one of them is a call.
    const bool counts_points =
        service.batch == BatchRule::none || service.batch == BatchRule::graph;
    return counts_points ? default_open_length : 1;
}

Result<Shape> choose_shape(const TensorSpec& spec, const InputChoices& choices, std::int64_t rows) {
    if (const auto given = choices.shapes.find(spec.name); given != choices.shapes.end()) {
        if (!fits(given->second, spec.dims)) {
            return unfit(spec, "--shape", spec.type, given->second);
        }
        return given->second;
    }
    Shape shape = spec.dims;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == -1) shape[i] = i == 0 ? rows : default_open_length;
    }
    if (is_edge_index(spec) && spec.dims[1] == -1) shape[1] = edges_per_row * rows;
    return shape;
}

template <class T, class Draw>
void fill_with(std::byte* data, std::uint64_t size, Draw&& draw) {
    for (std::uint64_t at = 0; at < size; at += sizeof(T)) {
        const T value = static_cast<T>(draw());
        std::memcpy(data + at, &value, sizeof value);
    }
}

/// Bit patterns of numbers in [0, 1) for types that C++20 does not have.
std::uint16_t half_bits(Random& random, bool is_bfloat) {
    // Exponent of [0.5, 1) and random mantissa: uniform in the upper half, which is all one needs.
    return is_bfloat ? static_cast<std::uint16_t>(0x3f00 | (random() & 0x7f))
                     : static_cast<std::uint16_t>(0x3800 | (random() & 0x3ff));
}

std::int64_t lowest_of(DType type) {
    if (type.code != DType::integer) return 0;
    return std::numeric_limits<std::int64_t>::min() >> (64 - type.bits);
}
std::int64_t highest_of(DType type) {
    const int value_bits =
        type.code == DType::integer ? type.bits - 1 : std::min<int>(type.bits, 63);
    return static_cast<std::int64_t>((std::uint64_t{1} << value_bits) - 1);
}

Result<IntRange> range_of(const TensorSpec& spec, const InputChoices& choices) {
    const auto given = choices.int_ranges.find(spec.name);
    if (given == choices.int_ranges.end()) return IntRange{};
    if (given->second.lowest < lowest_of(spec.type) ||
        given->second.highest > highest_of(spec.type)) {
        return fail(ErrorCode::invalid,
                    fmt::format("--int-range of input '{}' is {}:{} ({} holds {}:{}): give one "
                                "inside it",
                                spec.name, given->second.lowest, given->second.highest,
                                to_string(spec.type), lowest_of(spec.type), highest_of(spec.type)));
    }
    return given->second;
}

void fill_integers(DType type, std::byte* data, std::uint64_t size, IntRange range,
                   Random& random) {
    std::uniform_int_distribution<std::int64_t> draw_from(range.lowest, range.highest);
    const auto draw = [&] { return draw_from(random); };
    switch (type.bytes()) {
        case 1: return fill_with<std::int8_t>(data, size, draw);
        case 2: return fill_with<std::int16_t>(data, size, draw);
        case 4: return fill_with<std::int32_t>(data, size, draw);
        default: return fill_with<std::int64_t>(data, size, draw);
    }
}

Result<void> fill_random(const TensorSpec& spec, const InputChoices& choices, std::byte* data,
                         std::uint64_t size, Random& random) {
    std::uniform_real_distribution<double> unit(0, 1);
    const auto draw = [&] { return unit(random); };
    if (spec.type == dtype::f32) {
        fill_with<float>(data, size, draw);
    } else if (spec.type == dtype::f64) {
        fill_with<double>(data, size, draw);
    } else if (spec.type == dtype::f16 || spec.type == dtype::bf16) {
        fill_with<std::uint16_t>(data, size,
                                 [&] { return half_bits(random, spec.type == dtype::bf16); });
    } else if (spec.type == dtype::boolean) {
        fill_with<std::uint8_t>(data, size, [&] { return random() & 1; });
    } else {
        const auto range = range_of(spec, choices);
        if (!range) return tl::unexpected(range.error());
        fill_integers(spec.type, data, size, *range, random);
    }
    return {};
}

/// Row 0 holds the larger index of each edge, row 1 the smaller.
void fill_edges(std::byte* data, std::uint64_t edge_count, std::int64_t node_count,
                Random& random) {
    std::uniform_int_distribution<std::int64_t> node(0, std::max<std::int64_t>(node_count, 1) - 1);
    for (std::uint64_t k = 0; k < edge_count; ++k) {
        const std::int64_t a = node(random), b = node(random);
        const std::int64_t larger = std::max(a, b), smaller = std::min(a, b);
        std::memcpy(data + k * sizeof larger, &larger, sizeof larger);
        std::memcpy(data + (edge_count + k) * sizeof smaller, &smaller, sizeof smaller);
    }
}

/// Rows of the first input with two dimensions that holds no edges.
std::int64_t node_count(const ServiceAd& service, const std::vector<Shape>& shapes,
                        std::int64_t fallback) {
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        if (!is_edge_index(service.signature.inputs[i]) && shapes[i].size() == 2) {
            return shapes[i][0];
        }
    }
    return fallback;
}

Result<Tensor> read_input(const TensorSpec& spec, const std::string& file) {
    auto tensor = read_npy(file, spec.name);
    if (!tensor) return tensor;
    if (tensor->desc.type != spec.type || !fits(tensor->desc.shape, spec.dims)) {
        return unfit(spec, "file '" + file + "'", tensor->desc.type, tensor->desc.shape);
    }
    return tensor;
}

Result<void> check_names(const ServiceAd& service, const InputChoices& choices) {
    const auto check = [&](std::string_view flag, const std::string& name) -> Result<void> {
        std::string known;
        for (const TensorSpec& spec : service.signature.inputs) {
            if (spec.name == name) return {};
            known += (known.empty() ? "'" : ", '") + spec.name + "'";
        }
        return fail(ErrorCode::invalid,
                    fmt::format("{} names input '{}' (model '{}' version {} has {}): use one of "
                                "these names",
                                flag, name, service.model, service.version, known));
    };
    for (const auto& [name, value] : choices.files) {
        if (auto ok = check("--input", name); !ok) return ok;
    }
    for (const auto& [name, value] : choices.shapes) {
        if (auto ok = check("--shape", name); !ok) return ok;
    }
    for (const auto& [name, value] : choices.int_ranges) {
        if (auto ok = check("--int-range", name); !ok) return ok;
    }
    return {};
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Makes one input; edges need the number of nodes.
Result<TensorValue> make_input(const TensorSpec& spec, const Shape& shape,
                               const InputChoices& choices, std::int64_t nodes, Random& random) {
    const auto size = checked_size_bytes({spec.name, spec.type, shape});
    if (!size) return tl::unexpected(size.error());
    try {
        MutableBuffer buffer(*size);
        if (choices.fill == InputChoices::Fill::zero) {
            std::fill(buffer.bytes().begin(), buffer.bytes().end(), std::byte{0});
        } else if (is_edge_index(spec) && !choices.int_ranges.contains(spec.name)) {
            fill_edges(buffer.data(), static_cast<std::uint64_t>(shape[1]), nodes, random);
        } else if (auto ok = fill_random(spec, choices, buffer.data(), *size, random); !ok) {
            return tl::unexpected(ok.error());
        }
        return TensorValue{spec.type, shape, std::move(buffer).freeze()};
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::too_large, fmt::format("input '{}' of {} bytes does not fit into "
                                                      "the memory: give a smaller --shape",
                                                      spec.name, *size));
    }
}

}  // namespace

Result<Inputs> make_inputs(const ServiceAd& service, const InputChoices& choices) {
    if (auto ok = check_names(service, choices); !ok) return tl::unexpected(ok.error());
    const auto& specs = service.signature.inputs;
    const std::int64_t rows = rows_of(service, choices);
    std::vector<Shape> shapes;
    std::map<std::string, Tensor> read;
    for (const TensorSpec& spec : specs) {
        if (const auto file = choices.files.find(spec.name); file != choices.files.end()) {
            auto tensor = read_input(spec, file->second);
            if (!tensor) return tl::unexpected(tensor.error());
            shapes.push_back(tensor->desc.shape);
            read.emplace(spec.name, std::move(*tensor));
            continue;
        }
        auto shape = choose_shape(spec, choices, rows);
        if (!shape) return tl::unexpected(shape.error());
        shapes.push_back(std::move(*shape));
    }
    const std::int64_t nodes = node_count(service, shapes, rows);
    Random random(choices.seed);
    Inputs inputs;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        if (const auto found = read.find(specs[i].name); found != read.end()) {
            inputs.push_back({specs[i].name, {specs[i].type, shapes[i], found->second.data}});
            continue;
        }
        if (specs[i].optional && !choices.shapes.contains(specs[i].name)) continue;
        auto value = make_input(specs[i], shapes[i], choices, nodes, random);
        if (!value) return tl::unexpected(value.error());
        inputs.push_back({specs[i].name, std::move(*value)});
    }
    return inputs;
}

Result<std::vector<InputChoices>> choose_events(const ServiceAd& service,
                                                const InputChoices& choices,
                                                const std::filesystem::path& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<fs::path> folders;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->is_directory()) folders.push_back(entry->path());
    }
    if (error || folders.empty()) {
        return fail(ErrorCode::not_found, "--events '" + folder.string() + "' " +
                                              (error ? "cannot be read (" + error.message() + ")"
                                                     : "has no folders in it") +
                                              ": give a folder of folders with <input>.npy");
    }
    std::sort(folders.begin(), folders.end());
    std::vector<InputChoices> all;
    for (const fs::path& event : folders) {
        InputChoices& one = all.emplace_back(choices);
        for (const TensorSpec& input : service.signature.inputs) {
            const fs::path file = event / (input.name + ".npy");
            if (fs::exists(file, error)) one.files[input.name] = file.string();
        }
    }
    return all;
}

Result<std::map<std::string, std::string>> parse_named(std::string_view flag,
                                                       const std::vector<std::string>& texts) {
    std::map<std::string, std::string> named;
    for (const std::string& text : texts) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
            return fail(ErrorCode::invalid, fmt::format("{} '{}' is not NAME=VALUE: write for "
                                                        "instance {} nodes=...",
                                                        flag, text, flag));
        }
        if (!named.emplace(text.substr(0, equals), text.substr(equals + 1)).second) {
            return fail(ErrorCode::invalid, fmt::format("{} names '{}' twice: give it once", flag,
                                                        text.substr(0, equals)));
        }
    }
    return named;
}

Result<std::map<std::string, Shape>> parse_shapes(const std::vector<std::string>& texts) {
    const auto named = parse_named("--shape", texts);
    if (!named) return tl::unexpected(named.error());
    std::map<std::string, Shape> shapes;
    for (const auto& [name, text] : *named) {
        Shape& shape = shapes[name];
        std::string_view rest = text;
        while (true) {
            const auto comma = rest.find(',');
            const auto length = parse_number<std::int64_t>(rest.substr(0, comma));
            if (!length || *length < 0) {
                return fail(ErrorCode::invalid,
                            fmt::format("--shape '{}={}' is not a list of lengths: write for "
                                        "instance --shape {}=3,4",
                                        name, text, name));
            }
            shape.push_back(*length);
            if (comma == std::string_view::npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return shapes;
}

Result<std::map<std::string, IntRange>> parse_int_ranges(const std::vector<std::string>& texts) {
    const auto named = parse_named("--int-range", texts);
    if (!named) return tl::unexpected(named.error());
    std::map<std::string, IntRange> ranges;
    for (const auto& [name, text] : *named) {
        const auto colon = text.find(':');
        const std::string_view whole = text;
        const auto lowest = parse_number<std::int64_t>(whole.substr(0, colon));
        const auto highest = colon == std::string::npos
                                 ? std::nullopt
                                 : parse_number<std::int64_t>(whole.substr(colon + 1));
        if (!lowest || !highest || *lowest > *highest) {
            return fail(ErrorCode::invalid,
                        fmt::format("--int-range '{}={}' is not LOWEST:HIGHEST: write for instance "
                                    "--int-range {}=0:9",
                                    name, text, name));
        }
        ranges[name] = {*lowest, *highest};
    }
    return ranges;
}

}  // namespace farm
