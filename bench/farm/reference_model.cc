#include "bench/farm/reference_model.h"

#include <fstream>

namespace farm::bench {

Result<void> write_reference_model(const std::filesystem::path& repository,
                                   const std::string& model,
                                   const std::map<std::string, std::string>& parameters) {
    std::error_code ignored;
    std::filesystem::create_directories(repository / model, ignored);
    const auto file = repository / model / "config.pbtxt";
    std::ofstream config(file);
    config << "name: \"" << model << "\"\nbackend: \"reference\"\n"
           << "instance_group [{ count: 1 kind: KIND_CPU }]\n";
    for (const auto& [key, value] : parameters) {
        config << "parameters { key: \"farm.reference." << key << "\" value { string_value: \""
               << value << "\" } }\n";
    }
    config.close();
    return config.good() ? Result<void>{}
                         : fail(ErrorCode::io, "cannot write '" + file.string() + "'");
}

}  // namespace farm::bench
