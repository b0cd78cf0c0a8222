#include "gpu_worker/repository/config_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>

#include "gpu_worker/repository/model_config.pb.h"

namespace farm {

namespace {

constexpr std::uintmax_t config_limit_bytes = 1024 * 1024;

/// Keeps the first defect; what follows it is mostly its consequence.
class FirstDefect : public google::protobuf::io::ErrorCollector {
  public:
    explicit FirstDefect(std::string name) : name_(std::move(name)) {}

    void AddError(int line, int column, const std::string& message) override {
        if (text_) return;
        text_ = name_ + ":" + std::to_string(line + 1) + ":" + std::to_string(column + 1) + ": " +
                message;
    }
    void AddWarning(int, int, const std::string&) override {}

    std::string text() const { return text_.value_or(name_ + ": is not a model configuration"); }

  private:
    std::string name_;
    std::optional<std::string> text_;
};

std::string without_full_stop(std::string text) {
    while (!text.empty() && (text.back() == '.' || text.back() == '\n')) text.pop_back();
    return text;
}

}  // namespace

Result<void> parse_config(std::string_view text, const std::string& name,
                          inference::ModelConfig& config) {
    if (text.size() > config_limit_bytes) {
        return fail(ErrorCode::too_large, name +
                                              ": is larger than 1 MiB (the most that a model "
                                              "configuration may have): correct the file");
    }
    FirstDefect defect(name);
    google::protobuf::TextFormat::Parser parser;
    parser.RecordErrorsTo(&defect);
    google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
    if (parser.Parse(&stream, &config)) return {};
    return fail(ErrorCode::invalid, without_full_stop(defect.text()));
}

Result<void> read_config(const std::filesystem::path& file, inference::ModelConfig& config) {
    std::ifstream stream(file, std::ios::binary);
    std::string text(config_limit_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.eof() && !stream.good()) {
        return fail(ErrorCode::io, file.string() + ": cannot be read (" +
                                       std::generic_category().message(errno) +
                                       "): check the file and its permissions");
    }
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return parse_config(text, file.string(), config);
}

}  // namespace farm
