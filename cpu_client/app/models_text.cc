#include "cpu_client/app/models_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cpu_client/app/table.h"

namespace farm {

namespace {

using nlohmann::ordered_json;

void add_tensors(Table& table, std::string_view direction, const std::vector<TensorSpec>& specs) {
    for (const TensorSpec& spec : specs) {
        table.add({std::string("   ").append(direction), spec.name, to_string(spec.type),
                   dims_text(spec.dims), spec.optional ? "optional" : ""});
    }
}

std::string heading(const CatalogEntry& entry) {
    const ServiceAd& service = entry.service;
    return fmt::format(
        "{}{}  {} on {}, batch {}{}, {} worker{}", service_name(service.model, service.version),
        service.latest ? " (latest)" : "", service.backend, to_string(service.device),
        to_string(service.batch),
        service.max_batch_rows == 0 ? "" : fmt::format(" up to {}", service.max_batch_rows),
        entry.worker_count, entry.worker_count == 1 ? "" : "s");
}

ordered_json tensors_json(const std::vector<TensorSpec>& specs) {
    auto list = ordered_json::array();
    for (const TensorSpec& spec : specs) {
        list.push_back({{"name", spec.name},
                        {"type", to_string(spec.type)},
                        {"dims", spec.dims},
                        {"optional", spec.optional}});
    }
    return list;
}

}  // namespace

std::string dims_text(const Shape& dims) {
    std::string text = "[";
    for (const std::int64_t dim : dims) {
        if (text.size() > 1) text += ", ";
        text += dim == -1 ? "?" : std::to_string(dim);
    }
    return text + "]";
}

std::string hash_text(const ContentHash& hash) {
    std::string text;
    for (const std::uint8_t byte : hash.bytes) text += fmt::format("{:02x}", byte);
    return text;
}

std::string models_text(const std::vector<CatalogEntry>& catalog) {
    if (catalog.empty()) return "no models: no worker has announced one yet\n";
    std::string text;
    for (const CatalogEntry& entry : catalog) {
        text += printable(heading(entry)) + '\n';
        if (!entry.service.failure.empty()) {
            text += "   failed: " + printable(entry.service.failure) + '\n';
            continue;
        }
        Table table({{"", Table::Kind::name}, {""}, {"", Table::Kind::name}, {""}, {""}});
        add_tensors(table, "in", entry.service.signature.inputs);
        add_tensors(table, "out", entry.service.signature.outputs);
        text += table.text().substr(1);  // without the line of titles
    }
    return text;
}

std::string models_json(const std::vector<CatalogEntry>& catalog) {
    auto list = ordered_json::array();
    for (const CatalogEntry& entry : catalog) {
        const ServiceAd& service = entry.service;
        list.push_back({{"model", service.model},
                        {"version", service.version},
                        {"latest", service.latest},
                        {"hash", hash_text(service.hash)},
                        {"backend", service.backend},
                        {"batch", to_string(service.batch)},
                        {"max_batch_rows", service.max_batch_rows},
                        {"device", to_string(service.device)},
                        {"workers", entry.worker_count},
                        {"failure", service.failure},
                        {"inputs", tensors_json(service.signature.inputs)},
                        {"outputs", tensors_json(service.signature.outputs)}});
    }
    return list.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace farm
