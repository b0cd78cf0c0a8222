#include "common/net/curve.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

namespace farm {
namespace {

constexpr std::size_t z85_key_count = 40;  ///< characters, without the final NUL
constexpr std::size_t key_file_bytes = 4096;
using KeyText = std::array<char, z85_key_count + 1>;

tl::unexpected<Error> file_error(const std::string& doing, const std::string& path, int number) {
    const ErrorCode code = number == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return fail(code, "cannot " + doing + " '" + path + "' (" + std::strerror(number) + ")");
}

class OpenFile {
  public:
    OpenFile(const std::string& path, int flags, mode_t mode = 0)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    int fd() const { return fd_; }

  private:
    int fd_;
};

Result<void> write_new_file(const std::string& path, const std::string& text, mode_t mode) {
    const OpenFile file(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (file.fd() < 0) {
        if (errno == EEXIST) {
            return fail(ErrorCode::invalid, "key file '" + path +
                                                "' exists already (and is never overwritten): "
                                                "move it away or choose another name");
        }
        return file_error("create key file", path, errno);
    }
    if (::write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        const int number = errno;
        ::unlink(path.c_str());
        return file_error("write key file", path, number);
    }
    return {};
}

Result<void> check_private(const OpenFile& file, const std::string& path) {
    struct stat info {};
    if (::fstat(file.fd(), &info) != 0) return file_error("look at key file", path, errno);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(info.st_mode & 07777));
    return fail(ErrorCode::unauthorized, "key file '" + path + "' has mode " + mode.data() +
                                             " (others could take the key): run 'chmod 600 " +
                                             path + "'");
}

Result<std::string> read_text(const OpenFile& file, const std::string& path) {
    std::string text(key_file_bytes + 1, '\0');
    const ssize_t size = ::read(file.fd(), text.data(), text.size());
    if (size < 0) return file_error("read key file", path, errno);
    if (static_cast<std::size_t>(size) > key_file_bytes) {
        return fail(ErrorCode::too_large, "key file '" + path + "' is larger than " +
                                              std::to_string(key_file_bytes) +
                                              " bytes (limit): is it the right file?");
    }
    text.resize(static_cast<std::size_t>(size));
    return text;
}

/// The first line that is a key. A key may start with '#', so comments are told by not being one.
Result<std::string> key_line(const std::string& text, const std::string& path) {
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (is_curve_key(line)) return line;
        begin = end + 1;
    }
    return fail(
        ErrorCode::invalid,
        "key file '" + path +
            "' has no line with a key (40 characters of Z85): make keys with 'farm keygen'");
}

}  // namespace

bool is_curve_key(std::string_view text) {
    if (text.size() != z85_key_count) return false;
    constexpr std::string_view alphabet =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    if (text.find_first_not_of(alphabet) != std::string_view::npos) return false;
    std::array<std::uint8_t, 32> key{};
    return zmq_z85_decode(key.data(), std::string(text).c_str()) != nullptr;
}

Result<KeyPair> generate_key_pair() {
    KeyText public_key{};
    KeyText secret_key{};
    if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
        return fail(ErrorCode::internal, std::string("cannot make keys (") +
                                             zmq_strerror(zmq_errno()) +
                                             "): is libzmq built with CURVE (libsodium)?");
    }
    return KeyPair{public_key.data(), secret_key.data()};
}

Result<void> write_key_pair(const KeyPair& keys, const std::string& prefix,
                            const std::string& tenant, RoleSet roles) {
    const std::string secret_path = prefix + ".secret";
    const std::string secret = "# eventfarm secret key: keep it private\n" + keys.secret_key + "\n";
    if (auto written = write_new_file(secret_path, secret, 0600); !written) return written;

    std::string shared = "# eventfarm public key: copy it into an allow-list folder\n";
    shared += keys.public_key + "\n";
    if (!tenant.empty()) shared += "tenant: " + tenant + "\n";
    if (!roles.empty()) shared += "role: " + to_string(roles) + "\n";
    auto written = write_new_file(prefix + ".pub", shared, 0644);
    if (!written) ::unlink(secret_path.c_str());
    return written;
}

Result<KeyPair> read_key_pair(const std::string& path) {
    const OpenFile file(path, O_RDONLY);
    if (file.fd() < 0) return file_error("read key file", path, errno);
    if (auto checked = check_private(file, path); !checked) {
        return tl::unexpected<Error>(checked.error());
    }
    auto text = read_text(file, path);
    if (!text) return tl::unexpected<Error>(text.error());
    auto secret = key_line(*text, path);
    if (!secret) return tl::unexpected<Error>(secret.error());
    KeyText public_key{};
    if (zmq_curve_public(public_key.data(), secret->c_str()) != 0) {
        return fail(ErrorCode::invalid, "key file '" + path + "' holds no secret key (" +
                                            zmq_strerror(zmq_errno()) + ")");
    }
    return KeyPair{public_key.data(), *secret};
}

Result<std::string> read_public_key(const std::string& key_or_path) {
    if (is_curve_key(key_or_path)) return key_or_path;
    const OpenFile file(key_or_path, O_RDONLY);
    if (file.fd() < 0) return file_error("read public key", key_or_path, errno);
    auto text = read_text(file, key_or_path);
    if (!text) return tl::unexpected<Error>(text.error());
    return key_line(*text, key_or_path);
}

}  // namespace farm
