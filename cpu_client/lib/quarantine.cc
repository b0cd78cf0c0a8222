#include "cpu_client/lib/quarantine.h"

#include <fstream>
#include <system_error>

#include "common/ops/npy.h"
#include "common/wire/body.h"

namespace farm {
namespace {

/// Input names come from the caller, and may hold anything.
std::string file_name_of(const std::string& tensor_name, std::size_t number) {
    std::string name = std::to_string(number) + "_";
    for (const char c : tensor_name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == '-';
        name += plain ? c : '_';
    }
    return name + ".npy";
}

Result<void> write_description(const std::filesystem::path& file, const Quarantine& call,
                               const std::vector<Tensor>& inputs) {
    std::ofstream out(file);
    out << "call: " << short_hex(call.id) << "\nservice: " << call.service
        << "\nreason: " << call.detail << "\n";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        out << "input: " << inputs[i].desc.name << " " << to_string(inputs[i].desc.type) << " "
            << to_string(inputs[i].desc.shape) << " in " << file_name_of(inputs[i].desc.name, i)
            << "\n";
    }
    out.close();
    if (!out) return fail(ErrorCode::io, "cannot write " + file.string());
    return {};
}

}  // namespace

Result<std::filesystem::path> write_quarantine(const std::filesystem::path& folder,
                                               const Quarantine& call, const Payload& inputs) {
    const auto tensors = unpack_call(inputs);
    if (!tensors) return tl::unexpected<Error>(tensors.error());

    const std::filesystem::path place = folder / short_hex(call.id);
    std::error_code problem;
    std::filesystem::create_directories(place, problem);
    if (problem) {
        return fail(ErrorCode::io,
                    "cannot make folder " + place.string() + ": " + problem.message());
    }
    for (std::size_t i = 0; i < tensors->size(); ++i) {
        const Tensor& input = (*tensors)[i];
        const auto written = write_npy(place / file_name_of(input.desc.name, i), input);
        if (!written) return tl::unexpected<Error>(written.error());
    }
    const auto described = write_description(place / "call.txt", call, *tensors);
    if (!described) return tl::unexpected<Error>(described.error());
    return place;
}

}  // namespace farm
