#include "gpu_worker/repository/checksum.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <system_error>
#include <vector>

namespace farm {

namespace {

namespace fs = std::filesystem;

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// One digest under way. A failed step shows in finish().
class Digest {
  public:
    explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new()) {
        ok_ = context_ && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1;
    }
    void add(const void* data, std::size_t size) {
        ok_ = ok_ && EVP_DigestUpdate(context_.get(), data, size) == 1;
    }
    Result<std::vector<std::uint8_t>> finish() {
        std::vector<std::uint8_t> sum(EVP_MAX_MD_SIZE);
        unsigned int size = 0;
        if (!ok_ || EVP_DigestFinal_ex(context_.get(), sum.data(), &size) != 1) {
            return fail(ErrorCode::internal,
                        "libcrypto refuses the digest (it may be disabled on this machine): check "
                        "the OpenSSL configuration");
        }
        sum.resize(size);
        return sum;
    }

  private:
    std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
    bool ok_{false};
};

Result<void> add_file(Digest& digest, const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::array<char, 64 * 1024> block;
    while (stream) {
        stream.read(block.data(), block.size());
        digest.add(block.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.eof()) return {};
    return fail(ErrorCode::io, file.string() + ": cannot be read (" +
                                   std::generic_category().message(errno) +
                                   "): check the file and its permissions");
}

Result<void> add_named_file(Digest& digest, const std::string& name, const fs::path& file) {
    std::error_code error;
    const std::uint64_t size = fs::file_size(file, error);
    if (error) {
        return fail(ErrorCode::io, file.string() + ": cannot be read (" + error.message() +
                                       "): check the file and its permissions");
    }
    std::array<std::uint8_t, 8> size_bytes;
    for (std::size_t i = 0; i < size_bytes.size(); ++i) {
        size_bytes[i] = static_cast<std::uint8_t>(size >> (8 * i));
    }
    digest.add(name.c_str(), name.size() + 1);
    digest.add(size_bytes.data(), size_bytes.size());
    return add_file(digest, file);
}

Result<std::vector<std::string>> relative_names(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        if (entry->is_regular_file(error)) {
            names.push_back(entry->path().lexically_relative(folder).generic_string());
        }
        if (error) break;
    }
    if (error) {
        return fail(ErrorCode::io, folder.string() + ": cannot be listed (" + error.message() +
                                       "): check the folder and its permissions");
    }
    std::ranges::sort(names);
    return names;
}

Result<ContentHash> content_hash(Digest& digest) {
    const auto sum = digest.finish();
    if (!sum) return tl::unexpected(sum.error());
    ContentHash hash;
    std::copy_n(sum->begin(), std::min(sum->size(), hash.bytes.size()), hash.bytes.begin());
    return hash;
}

}  // namespace

Result<std::string> md5_hex(const fs::path& file) {
    static constexpr char digits[] = "0123456789abcdef";
    Digest digest(EVP_md5());
    if (auto added = add_file(digest, file); !added) return tl::unexpected(added.error());
    const auto sum = digest.finish();
    if (!sum) return tl::unexpected(sum.error());
    std::string text;
    for (const std::uint8_t byte : *sum) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

Result<ContentHash> hash_folder(const fs::path& folder) {
    const auto names = relative_names(folder);
    if (!names) return tl::unexpected(names.error());
    Digest digest(EVP_sha256());
    for (const std::string& name : *names) {
        auto added = add_named_file(digest, name, folder / name);
        if (!added) return tl::unexpected(added.error());
    }
    return content_hash(digest);
}

Result<ContentHash> hash_file(const fs::path& file) {
    Digest digest(EVP_sha256());
    auto added = add_named_file(digest, file.filename().string(), file);
    if (!added) return tl::unexpected(added.error());
    return content_hash(digest);
}

}  // namespace farm
