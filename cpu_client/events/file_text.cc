#include "cpu_client/events/file_text.h"

#include <cerrno>
#include <fstream>
#include <system_error>

namespace farm {

Result<std::string> read_file_text(const std::filesystem::path& file, std::uintmax_t limit_bytes,
                                   std::string_view advice) {
    const std::string name = "file '" + file.string() + "'";
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error) {
        const bool absent = error == std::errc::no_such_file_or_directory;
        return fail(absent ? ErrorCode::not_found : ErrorCode::io,
                    name + " cannot be read (" + error.message() + "): " + std::string(advice));
    }
    if (size > limit_bytes) {
        return fail(ErrorCode::too_large,
                    name + " has " + std::to_string(size) + " bytes (the limit is " +
                        std::to_string(limit_bytes) + "): " + std::string(advice));
    }
    std::string text(size, '\0');
    std::ifstream stream(file, std::ios::binary);
    stream.read(text.data(), static_cast<std::streamsize>(size));
    if (stream) return text;
    return fail(ErrorCode::io,
                name + " could not be read (its permissions or the disk): check both");
}

Result<void> write_file_text(const std::filesystem::path& file, std::string_view text) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.close();
    if (stream) return {};
    const std::error_code error(errno, std::generic_category());
    return fail(ErrorCode::io, "file '" + file.string() + "' cannot be written (" +
                                   error.message() + "): check the path and its permissions");
}

Result<void> make_folder(const std::filesystem::path& folder, std::string_view advice) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (!error) return {};
    return fail(ErrorCode::io, "folder '" + folder.string() + "' cannot be made (" +
                                   error.message() + "): " + std::string(advice));
}

}  // namespace farm
