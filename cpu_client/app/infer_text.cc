#include "cpu_client/app/infer_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/models_text.h"
#include "cpu_client/app/quantity_text.h"
#include "cpu_client/app/table.h"

namespace farm {

namespace {

using nlohmann::ordered_json;

std::uint64_t nanoseconds(Duration duration) {
    return static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0));
}

}  // namespace

std::string output_file_name(const std::string& tensor) {
    std::string name = printable(tensor);
    std::replace(name.begin(), name.end(), '/', '_');
    if (name.empty() || name.front() == '.') name.insert(0, "_");
    return name + ".npy";
}

std::string inference_text(const Inference& inference, const std::filesystem::path& folder) {
    const Provenance& by = inference.made_by;
    const Timings& timings = inference.timings;
    std::string text = fmt::format(
        "{}/{} on {}, hash {}\n{} in {} (queue {}, compute {}, {} call{} in its run)\n",
        printable(by.model), by.version, printable(by.worker), hash_text(by.hash).substr(0, 12),
        to_string(inference.status), duration_text(nanoseconds(inference.elapsed)),
        duration_text(timings.queue_ns), duration_text(timings.compute_ns), timings.run_calls,
        timings.run_calls == 1 ? "" : "s");
    Table table({{"OUTPUT"}, {"TYPE"}, {"SHAPE"}, {"FILE"}});
    for (const Tensor& tensor : inference.outputs) {
        table.add({tensor.desc.name, to_string(tensor.desc.type), to_string(tensor.desc.shape),
                   folder.empty() ? "(not written: no --output-dir)"
                                  : (folder / output_file_name(tensor.desc.name)).string()});
    }
    return text + table.text();
}

std::string inference_json(const Inference& inference) {
    auto outputs = ordered_json::array();
    for (const Tensor& tensor : inference.outputs) {
        outputs.push_back({{"name", tensor.desc.name},
                           {"type", to_string(tensor.desc.type)},
                           {"shape", tensor.desc.shape}});
    }
    const ordered_json json{
        {"status", to_string(inference.status)},      {"detail", inference.detail},
        {"retry_after_ms", inference.retry_after_ms}, {"attempts", inference.attempts},
        {"elapsed_ns", inference.elapsed.count()},    {"queue_ns", inference.timings.queue_ns},
        {"input_ns", inference.timings.input_ns},     {"compute_ns", inference.timings.compute_ns},
        {"output_ns", inference.timings.output_ns},   {"worker", inference.made_by.worker},
        {"model", inference.made_by.model},           {"version", inference.made_by.version},
        {"hash", hash_text(inference.made_by.hash)},  {"outputs", outputs}};
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace farm
