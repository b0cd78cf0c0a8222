#include "bench/cost/callgrind_profile.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace farm::bench {
namespace {

/// glibc's names in a program that is not statically linked; calls between them (realloc of a null
/// pointer is malloc's work inside) do not go through these symbols.
constexpr std::array<std::string_view, 6> allocators{"malloc",         "calloc",        "realloc",
                                                     "posix_memalign", "aligned_alloc", "memalign"};

/// "(12) name" the first time, "(12)" later, or just the name.
class CompressedNames {
  public:
    std::string name_of(std::string_view text) {
        if (text.empty() || text.front() != '(') return std::string(text);
        const auto close = text.find(')');
        if (close == std::string_view::npos) return std::string(text);
        std::string& name = names_[std::string(text.substr(0, close + 1))];
        if (close + 2 <= text.size()) name = text.substr(close + 2);
        return name;
    }

  private:
    std::map<std::string, std::string> names_;
};

class Parser {
  public:
    Result<CallgrindProfile> parse(std::string_view text) {
        std::size_t number = 0;
        while (!text.empty()) {
            const auto end = text.find('\n');
            ++number;
            if (!take(text.substr(0, end))) {
                return fail(ErrorCode::invalid,
                            "line " + std::to_string(number) + " is not callgrind's: '" +
                                std::string(text.substr(0, std::min<std::size_t>(end, 60))) + "'");
            }
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        }
        return std::move(profile_);
    }

  private:
    bool take(std::string_view line) {
        if (line.empty() || line.front() == '#') return true;
        if (line.starts_with("ob=")) {
            const std::string path = objects_.name_of(line.substr(3));
            object_ = path.substr(path.rfind('/') + 1);
            return true;
        }
        if (line.starts_with("fn=")) {
            current_ = named(functions_.name_of(line.substr(3)));
            return true;
        }
        if (line.starts_with("cfn=")) {
            called_ = functions_.name_of(line.substr(4));
            return true;
        }
        if (line.starts_with("cob=")) {
            objects_.name_of(line.substr(4));  // may be the first time that it is spelt out
            return true;
        }
        if (line.starts_with("calls=")) {
            // The line after it has the inclusive cost, which is the callee's own business.
            skips_cost_ = true;
            std::uint64_t count = 0;
            if (!read(line.substr(6), count)) return false;
            profile_.functions[called_].calls += count;
            return true;
        }
        const bool is_cost = line.front() == '+' || line.front() == '-' || line.front() == '*' ||
                             (line.front() >= '0' && line.front() <= '9');
        return is_cost ? take_cost(line) : true;  // a header, a file, an object, a jump
    }

    bool take_cost(std::string_view line) {
        if (skips_cost_) {
            skips_cost_ = false;
            return true;
        }
        const auto space = line.find(' ');
        if (space == std::string_view::npos || space + 1 == line.size())
            return true;  // cost nothing
        std::uint64_t cost = 0;
        if (!read(line.substr(space + 1), cost)) return false;
        profile_.functions[current_].self_instructions += cost;
        profile_.instructions += cost;
        return true;
    }

    /// Functions of libraries without symbols, together: their addresses say nothing.
    std::string named(const std::string& function) const {
        return function.starts_with("0x") ? "unnamed functions of " + object_ : function;
    }

    static bool read(std::string_view text, std::uint64_t& number) {
        return std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
    }

    CallgrindProfile profile_;
    CompressedNames functions_;
    CompressedNames objects_;
    std::string object_;
    std::string current_;
    std::string called_;
    bool skips_cost_{false};
};

}  // namespace

std::uint64_t CallgrindProfile::allocations() const {
    std::uint64_t count = 0;
    for (const std::string_view name : allocators) {
        if (const auto found = functions.find(std::string(name)); found != functions.end()) {
            count += found->second.calls;
        }
    }
    return count;
}

std::vector<CallgrindProfile::NamedFunction> CallgrindProfile::most_expensive(
    std::size_t count) const {
    std::vector<NamedFunction> list;
    for (const auto& [name, function] : functions) {
        list.push_back({name, function.self_instructions});
    }
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
        return a.self_instructions > b.self_instructions;
    });
    list.resize(std::min(count, list.size()));
    return list;
}

Result<CallgrindProfile> parse_callgrind(std::string_view text) { return Parser().parse(text); }

}  // namespace farm::bench
