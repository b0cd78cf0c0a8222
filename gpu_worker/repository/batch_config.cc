#include "gpu_worker/repository/batch_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "gpu_worker/core/graph_union.h"
#include "gpu_worker/core/pad_mask.h"
#include "gpu_worker/core/ragged.h"
#include "gpu_worker/repository/config_error.h"
#include "gpu_worker/repository/data_type.h"

namespace farm {

namespace {

using inference::ModelConfig;

/// A padded length, and steps between them.
constexpr std::int64_t most_padding = 1 << 20;

/// Which rule reads a parameter; nothing: several do.
struct BatchParameter {
    std::string_view key;
    std::optional<BatchRule> rule;
};
constexpr std::array<BatchParameter, 10> batch_parameters{{
    {"farm.batch", std::nullopt},
    {"farm.max_batch_rows", std::nullopt},
    {"farm.pad_inputs", BatchRule::pad_mask},
    {"farm.pad_minimum", BatchRule::pad_mask},
    {"farm.pad_multiple", BatchRule::pad_mask},
    {"farm.pad_bucket", BatchRule::pad_mask},
    {"farm.pad_outputs", BatchRule::pad_mask},
    {"farm.graph_edge_inputs", BatchRule::graph},
    {"farm.graph_node_outputs", BatchRule::graph},
    {"farm.graph_edge_outputs", BatchRule::graph},
}};

// ---- lists in a parameter ---------------------------------------------------------------------

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\n");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

/// Empty items stay, so that they can be refused.
std::vector<std::string> split_at(char separator, const std::string& text) {
    std::vector<std::string> items;
    if (trimmed(text).empty()) return items;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        items.push_back(trimmed(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
    }
    return items;
}

struct NameAndValue {
    std::string name;
    std::string value;
};

/// "name:value"; the name is empty when there is no colon.
NameAndValue cut_at_colon(const std::string& item) {
    const std::size_t colon = item.rfind(':');
    if (colon == std::string::npos) return {{}, item};
    return {trimmed(item.substr(0, colon)), trimmed(item.substr(colon + 1))};
}

tl::unexpected<Error> unreadable(const std::string& key, const std::string& text,
                                 const std::string& form) {
    return refuse("parameter '" + key + "' is '" + text + "'", "it reads like " + form,
                  "correct it");
}

/// The parameters of one model.
class Parameters {
  public:
    explicit Parameters(const ModelSource& source) : all_(source.parameters) {}

    const std::string* find(const std::string& key) const {
        const auto found = all_.find(key);
        return found == all_.end() ? nullptr : &found->second;
    }

    Result<void> names(const std::string& key, std::vector<std::string>& names) const {
        const std::string* text = find(key);
        if (text == nullptr) return {};
        names = split_at(',', *text);
        if (!names.empty() && std::ranges::find(names, "") == names.end()) return {};
        return unreadable(key, *text, "\"name, name\"");
    }

    Result<void> groups(const std::string& key,
                        std::vector<std::vector<std::string>>& groups) const {
        std::vector<std::string> items;
        if (auto read = names(key, items); !read) return read;
        for (const std::string& item : items) {
            groups.push_back(split_at('+', item));
            if (std::ranges::find(groups.back(), "") == groups.back().end()) continue;
            return unreadable(key, *find(key), "\"name+name, name\"");
        }
        return {};
    }

    Result<void> number(const std::string& key, PadNumber& number) const {
        std::vector<std::string> items;
        if (auto read = names(key, items); !read) return read;
        for (const std::string& item : items) {
            const auto [name, text] = cut_at_colon(item);
            std::int64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            if (error != std::errc() || stop != end || value < 1 || value > most_padding) {
                return unreadable(key, *find(key),
                                  "\"9\" or \"name:9, name:2\", whole numbers from 1 to " +
                                      std::to_string(most_padding));
            }
            if (name.empty()) {
                number.everywhere = value;
            } else {
                number.of_input[name] = value;
            }
        }
        return {};
    }

    Result<void> pairs(const std::string& key, std::map<std::string, std::string>& pairs) const {
        std::vector<std::string> items;
        if (auto read = names(key, items); !read) return read;
        for (const std::string& item : items) {
            const auto [output, input] = cut_at_colon(item);
            if (output.empty() || input.empty() || !pairs.emplace(output, input).second) {
                return unreadable(key, *find(key), "\"output:input, output:input\"");
            }
        }
        return {};
    }

  private:
    const std::map<std::string, std::string>& all_;
};

// ---- the rules --------------------------------------------------------------------------------

using Made = Result<std::shared_ptr<const Batching>>;

Made make_padded(const Parameters& parameters, const ModelSource& source) {
    PadMaskSettings settings;
    for (const auto& read : {parameters.groups("farm.pad_inputs", settings.inputs),
                             parameters.number("farm.pad_minimum", settings.minimum),
                             parameters.number("farm.pad_multiple", settings.multiple),
                             parameters.number("farm.pad_bucket", settings.bucket),
                             parameters.pairs("farm.pad_outputs", settings.outputs)}) {
        if (!read) return tl::unexpected(read.error());
    }
    return batch_padded(source.signature, settings);
}

Made make_graphs(const Parameters& parameters, const ModelSource& source) {
    GraphSettings settings;
    for (const auto& read : {parameters.names("farm.graph_edge_inputs", settings.edge_inputs),
                             parameters.names("farm.graph_node_outputs", settings.node_outputs),
                             parameters.names("farm.graph_edge_outputs", settings.edge_outputs)}) {
        if (!read) return tl::unexpected(read.error());
    }
    return batch_graphs(source.signature, settings);
}

Result<IndexKind> kind_of(const inference::BatchInput& input) {
    switch (input.kind()) {
        case inference::BatchInput::BATCH_ELEMENT_COUNT: return IndexKind::element_count;
        case inference::BatchInput::BATCH_ACCUMULATED_ELEMENT_COUNT:
            return IndexKind::accumulated_element_count;
        case inference::BatchInput::BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO:
            return IndexKind::accumulated_element_count_with_zero;
        case inference::BatchInput::BATCH_MAX_ELEMENT_COUNT_AS_SHAPE:
            return IndexKind::max_element_count_as_shape;
        case inference::BatchInput::BATCH_ITEM_SHAPE: return IndexKind::item_shape;
        case inference::BatchInput::BATCH_ITEM_SHAPE_FLATTEN: return IndexKind::item_shape_flatten;
        default: break;
    }
    return refuse("batch_input has kind " + std::to_string(input.kind()), "0 to 5 are known",
                  "correct it");
}

Result<void> check_one_source(const std::string& field, int targets, int sources) {
    if (targets >= 1 && sources == 1) return {};
    return refuse(field + " has " + std::to_string(targets) + " target_name and " +
                      std::to_string(sources) + " source_input",
                  "it needs at least one and exactly one", "correct it");
}

Result<RaggedSettings> ragged_settings(const ModelConfig& config) {
    RaggedSettings settings;
    for (const inference::ModelInput& input : config.input()) {
        if (input.allow_ragged_batch()) settings.inputs.push_back(input.name());
    }
    for (const inference::BatchInput& input : config.batch_input()) {
        auto counted =
            check_one_source("batch_input", input.target_name_size(), input.source_input_size());
        if (!counted) return tl::unexpected(counted.error());
        const auto kind = kind_of(input);
        if (!kind) return tl::unexpected(kind.error());
        const auto type = dtype_of("batch_input '" + input.target_name(0) + "'", input.data_type());
        if (!type) return tl::unexpected(type.error());
        for (const std::string& target : input.target_name()) {
            settings.index_tensors.push_back(
                {*kind, {target, *type, {}, false}, input.source_input(0)});
        }
    }
    for (const inference::BatchOutput& output : config.batch_output()) {
        auto counted =
            check_one_source("batch_output", output.target_name_size(), output.source_input_size());
        if (!counted) return tl::unexpected(counted.error());
        for (const std::string& target : output.target_name()) {
            settings.scattered.push_back({target, output.source_input(0)});
        }
    }
    return settings;
}

Made make_ragged(const ModelConfig& config, const ModelSource& source) {
    if (config.max_batch_size() == 0) {
        return refuse("allow_ragged_batch, batch_input and batch_output need max_batch_size",
                      "it is 0", "set it to the most rows of a run");
    }
    const auto settings = ragged_settings(config);
    if (!settings) return tl::unexpected(settings.error());
    return batch_ragged(source.signature, *settings);
}

bool asks_for_ragged(const ModelConfig& config) {
    const auto& inputs = config.input();
    return config.batch_input_size() > 0 || config.batch_output_size() > 0 ||
           std::any_of(inputs.begin(), inputs.end(),
                       [](const auto& input) { return input.allow_ragged_batch(); });
}

Result<BatchRule> rule_of(const ModelConfig& config, const Parameters& parameters) {
    const bool ragged = asks_for_ragged(config);
    const std::string* text = parameters.find("farm.batch");
    if (text == nullptr) {
        if (ragged) return BatchRule::ragged;
        return config.max_batch_size() > 0 ? BatchRule::rows : BatchRule::none;
    }
    for (const BatchRule rule : {BatchRule::none, BatchRule::rows, BatchRule::pad_mask,
                                 BatchRule::graph, BatchRule::ragged}) {
        if (*text != to_string(rule)) continue;
        if (ragged == (rule == BatchRule::ragged)) return rule;
        return refuse("parameter 'farm.batch' is '" + *text + "'",
                      ragged ? "inputs with allow_ragged_batch, batch_input or batch_output run "
                               "with 'ragged' only"
                             : "no input has allow_ragged_batch",
                      "correct one of them");
    }
    return refuse("parameter 'farm.batch' is '" + *text + "'",
                  "\"none\", \"rows\", \"pad_mask\", \"graph\" or \"ragged\"", "correct it");
}

Result<void> check_parameters_of(BatchRule rule, const Parameters& parameters) {
    for (const BatchParameter& known : batch_parameters) {
        const std::string key(known.key);
        if (!known.rule || *known.rule == rule || parameters.find(key) == nullptr) continue;
        return refuse("parameter '" + key + "' does nothing",
                      "it needs farm.batch '" + std::string(to_string(*known.rule)) +
                          "', which is '" + std::string(to_string(rule)) + "'",
                      "remove it or correct farm.batch");
    }
    return {};
}

Made make_batching(BatchRule rule, const ModelConfig& config, const ModelSource& source) {
    const Parameters parameters(source);
    switch (rule) {
        case BatchRule::rows: return batch_rows(source.signature);
        case BatchRule::pad_mask: return make_padded(parameters, source);
        case BatchRule::graph: return make_graphs(parameters, source);
        case BatchRule::ragged: return make_ragged(config, source);
        case BatchRule::none: break;
    }
    return one_call_per_run();
}

// ---- sizes ------------------------------------------------------------------------------------

Result<void> read_max_rows(BatchRule rule, const ModelConfig& config, ModelSource& source) {
    source.max_batch_rows = static_cast<std::uint32_t>(config.max_batch_size());
    if (rule == BatchRule::graph) {
        if (config.max_batch_size() > 0) {
            return refuse("max_batch_size is " + std::to_string(config.max_batch_size()),
                          "with farm.batch 'graph' tensors have no batch dimension",
                          "set it to 0, and farm.max_batch_rows to the most nodes and edges");
        }
        source.max_batch_rows = default_graph_rows;
    }
    const std::string key = "farm.max_batch_rows";
    const auto found = source.parameters.find(key);
    if (found == source.parameters.end()) return {};
    if (config.max_batch_size() > 0 || rule == BatchRule::none) {
        return refuse("parameter '" + key + "' does nothing",
                      rule == BatchRule::none ? "with farm.batch 'none' every call runs alone"
                                              : "max_batch_size says it",
                      "remove it");
    }
    const std::string& text = found->second;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, source.max_batch_rows);
    const bool fits = source.max_batch_rows >= 1 && source.max_batch_rows <= most_graph_rows;
    if (error == std::errc() && stop == end && fits) return {};
    return unreadable(key, text, "a whole number from 1 to " + std::to_string(most_graph_rows));
}

Result<void> read_hints(const inference::ModelDynamicBatching& batching, ModelSource& source) {
    const std::uint32_t most_rows = source.max_batch_rows;
    for (const std::int32_t rows : batching.preferred_batch_size()) {
        if (rows < 1 || static_cast<std::uint32_t>(rows) > most_rows) {
            return refuse("preferred_batch_size " + std::to_string(rows) + " is not possible",
                          "max_batch_size is " + std::to_string(most_rows),
                          "use 1 to max_batch_size");
        }
        source.hints.preferred_rows.push_back(static_cast<std::uint32_t>(rows));
    }
    std::ranges::sort(source.hints.preferred_rows);
    const auto longest = std::chrono::microseconds(limits::longest_deadline);
    const std::uint64_t delay = batching.max_queue_delay_microseconds();
    if (delay > static_cast<std::uint64_t>(longest.count())) {
        return refuse("max_queue_delay_microseconds is " + std::to_string(delay),
                      "at most " + std::to_string(longest.count()), "correct it");
    }
    source.hints.max_queue_delay = std::chrono::microseconds(delay);
    return {};
}

}  // namespace

bool is_batch_parameter(const std::string& key) {
    return std::ranges::find(batch_parameters, key, &BatchParameter::key) != batch_parameters.end();
}

Result<void> read_batching(const ModelConfig& config, ModelSource& source) {
    if (config.max_batch_size() < 0) {
        return refuse("max_batch_size is " + std::to_string(config.max_batch_size()),
                      "0 or more: 0 does not batch", "correct it");
    }
    const Parameters parameters(source);
    const auto rule = rule_of(config, parameters);
    if (!rule) return tl::unexpected(rule.error());
    if (auto fit = check_parameters_of(*rule, parameters); !fit) return fit;
    if (auto read = read_max_rows(*rule, config, source); !read) return read;
    auto made = make_batching(*rule, config, source);
    if (!made) return tl::unexpected(made.error());
    source.batching = std::move(*made);
    return read_hints(config.dynamic_batching(), source);
}

}  // namespace farm
