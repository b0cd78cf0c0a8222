#include "common/net/allow_list.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>
#include <utility>

#include <sys/stat.h>

#include "common/net/curve.h"
#include "schemas/limits.h"

namespace farm {
namespace {

constexpr std::size_t file_count = 65'536;
constexpr std::uintmax_t file_bytes = 4096;
constexpr auto look_again = std::chrono::seconds(1);

struct Entry {
    std::string path;
    std::string name;
};

std::uint64_t mix(std::uint64_t stamp, std::uint64_t value) {
    return (stamp ^ value) * 0x9e3779b97f4a7c15ULL;
}

/// Changes whenever the file, or the folder's list of names, was written.
std::uint64_t stamp_of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return 0;
    std::uint64_t stamp = mix(info.st_ino, static_cast<std::uint64_t>(info.st_size));
    stamp = mix(stamp, static_cast<std::uint64_t>(info.st_mtim.tv_sec));
    return mix(stamp, static_cast<std::uint64_t>(info.st_mtim.tv_nsec));
}

Result<std::vector<Entry>> list_keys(const std::string& folder) {
    std::error_code error;
    std::vector<Entry> entries;
    for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
         file.increment(error)) {
        if (file->path().extension() != ".pub") continue;
        if (entries.size() >= file_count) {
            return fail(ErrorCode::too_large, "allow list '" + folder + "' has more than " +
                                                  std::to_string(file_count) + " keys (limit)");
        }
        entries.push_back({file->path().string(), file->path().stem().string()});
    }
    if (error) {
        return fail(ErrorCode::not_found, "cannot read the allow list '" + folder + "' (" +
                                              error.message() +
                                              "): give a folder of <name>.pub files");
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

bool is_tenant(std::string_view name) {
    return !name.empty() && name.size() <= limits::name_bytes &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
}

/// One `.pub` file while it is read. An empty `problem` means that all was well.
struct KeyFile {
    Identity identity;
    std::string problem;

    void read_line(std::string_view line) {
        if (is_curve_key(line)) {
            if (!identity.key.empty()) problem = "has a second key";
            identity.key = line;
        } else if (line.starts_with("tenant:")) {
            identity.tenant = trim(line.substr(7));
        } else if (line.starts_with("role:")) {
            read_roles(line.substr(5));
        } else if (!line.empty() && !line.starts_with('#')) {
            problem = "is neither a Z85 key, 'tenant: name', 'role: name' nor a comment";
        }
    }

    void read_roles(std::string_view text) {
        const auto roles = parse_roles(text);
        if (!roles) {
            problem = roles.error().message;
            return;
        }
        for (Role role : {Role::client, Role::worker, Role::broker, Role::admin}) {
            if (roles->has(role)) identity.roles.add(role);
        }
    }

    void check() {
        if (identity.key.empty()) problem = "has no key (40 characters of Z85)";
        if (!is_tenant(identity.tenant)) {
            problem = "has no valid tenant (1 to " + std::to_string(limits::name_bytes) +
                      " characters, no blanks)";
        }
        if (identity.roles.empty()) identity.roles.add(Role::client);
    }
};

}  // namespace

Result<AllowList> AllowList::open(std::string folder) {
    AllowList list;
    list.folder_ = std::move(folder);
    if (auto done = list.read(); !done) return tl::unexpected<Error>(done.error());
    return list;
}

const Identity* AllowList::find(std::string_view public_key, TimePoint now) {
    bool changed = stamp(false) != folder_stamp_;
    if (!changed && now - files_looked_at_ >= look_again) {
        files_looked_at_ = now;
        changed = stamp(true) != files_stamp_;
    }
    if (changed) {
        // A folder that has become unreadable allows nobody.
        if (auto done = read(); !done) {
            by_key_.clear();
            problems_.push_back(done.error().message);
        }
    }
    const auto found = by_key_.find(std::string(public_key));
    return found == by_key_.end() ? nullptr : &found->second;
}

std::vector<std::string> AllowList::take_problems() { return std::exchange(problems_, {}); }

/// The stamps are taken first: a change while reading shows as one more change.
Result<void> AllowList::read() {
    folder_stamp_ = stamp(false);
    files_stamp_ = stamp(true);
    auto entries = list_keys(folder_);
    if (!entries) return tl::unexpected<Error>(entries.error());
    by_key_.clear();
    problems_.clear();
    for (const Entry& entry : *entries) read_file(entry.path, entry.name);
    return {};
}

void AllowList::read_file(const std::string& path, const std::string& name) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    std::ifstream file(path);
    if (error || !file || size > file_bytes) {
        problems_.push_back("key file '" + path + "' was skipped (unreadable, or above 4 KiB)");
        return;
    }
    KeyFile key;
    key.identity = {name, RoleSet{}, ""};
    std::string line;
    int number = 0;
    while (key.problem.empty() && std::getline(file, line)) {
        ++number;
        key.read_line(trim(line));
    }
    if (key.problem.empty()) key.check();
    if (key.problem.empty() && by_key_.contains(key.identity.key)) {
        key.problem = "repeats the key of another file";
    }
    if (!key.problem.empty()) {
        problems_.push_back("key file '" + path + "' line " + std::to_string(number) + " " +
                            key.problem + ": the key is not allowed in");
        return;
    }
    by_key_.emplace(key.identity.key, key.identity);
}

std::uint64_t AllowList::stamp(bool with_files) const {
    std::uint64_t stamp = stamp_of(folder_);
    if (!with_files) return stamp;
    const auto entries = list_keys(folder_);
    if (!entries) return 0;
    for (const Entry& entry : *entries) stamp = mix(stamp, stamp_of(entry.path));
    return stamp;
}

}  // namespace farm
