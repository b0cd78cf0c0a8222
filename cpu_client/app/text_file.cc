#include "cpu_client/app/text_file.h"

#include <fstream>
#include <string>
#include <system_error>

namespace farm {

Result<void> write_text_file(const std::filesystem::path& file, std::string_view text) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.close();
    if (stream) return {};
    const std::error_code error(errno, std::generic_category());
    return fail(ErrorCode::io, "file '" + file.string() + "' cannot be written (" +
                                   error.message() + "): check the path and its permissions");
}

}  // namespace farm
