#include "bench/load/load.h"

#include <nlohmann/json.hpp>

namespace farm::bench {
namespace {

using nlohmann::json;

template <class T, class Read>
Result<T> parse(std::string_view text, std::string_view what, Read read) {
    try {
        return read(json::parse(text));
    } catch (const json::exception& error) {
        return fail(ErrorCode::invalid, "'" + std::string(text.substr(0, 80)) + "' is no " +
                                            std::string(what) + " (" + error.what() + ")");
    }
}

}  // namespace

std::string to_json(const Load& load) {
    return json{{"bytes", load.bytes},
                {"outstanding", load.outstanding},
                {"seconds", load.seconds},
                {"calls", load.calls}}
        .dump();
}

std::string to_json(const Sample& sample) {
    return json{{"calls", sample.calls},
                {"calls_per_s", sample.calls_per_s},
                {"p50_us", sample.p50_us},
                {"p99_us", sample.p99_us}}
        .dump();
}

Result<Load> parse_load(std::string_view text) {
    return parse<Load>(text, "load", [](const json& j) {
        return Load{j.at("bytes").get<std::size_t>(), j.at("outstanding").get<int>(),
                    j.at("seconds").get<double>(), j.at("calls").get<std::uint64_t>()};
    });
}

Result<Sample> parse_sample(std::string_view text) {
    return parse<Sample>(text, "sample", [](const json& j) {
        return Sample{j.at("calls").get<std::uint64_t>(), j.at("calls_per_s").get<double>(),
                      j.at("p50_us").get<double>(), j.at("p99_us").get<double>()};
    });
}

}  // namespace farm::bench
