#include "common/ops/yaml_config.h"

#include <algorithm>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

namespace farm {
namespace {

constexpr std::size_t file_bytes = 1024 * 1024;
constexpr int depth_limit = 8;

int line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : mark.line + 1; }

[[noreturn]] void refuse(const std::string& file, int line, const std::string& text) {
    throw CLI::ConfigError(file + " line " + std::to_string(line) + ": " + text,
                           CLI::ExitCodes::ConfigError);
}

bool is_command_line_only(const std::string& name) {
    return name == "help" || name == "version" || name == "config" || name == "help-all";
}

const CLI::App* subcommand_of(const CLI::App& app, const std::string& name) {
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (sub->check_name(name)) return sub;
    }
    return nullptr;
}

/// "bench.concurrency" of subcommand "bench" becomes parents {"bench"}, name "concurrency".
CLI::ConfigItem item_of(const CLI::App& app, const std::string& name,
                        std::vector<std::string> values) {
    CLI::ConfigItem item;
    item.inputs = std::move(values);
    item.name = name;
    const auto dot = name.find('.');
    if (dot == std::string::npos) return item;
    const CLI::App* sub = subcommand_of(app, name.substr(0, dot));
    if (!sub) return item;
    CLI::ConfigItem inner = item_of(*sub, name.substr(dot + 1), {});
    item.parents = std::move(inner.parents);
    item.parents.insert(item.parents.begin(), name.substr(0, dot));
    item.name = inner.name;
    return item;
}

/// One walk over a file.
class Reader {
  public:
    Reader(const CLI::App& app, std::string file, std::map<std::string, int>& lines)
        : app_(app), file_(std::move(file)), lines_(lines), known_(option_names(app)) {}

    std::vector<CLI::ConfigItem> read(const YAML::Node& root) {
        if (root.IsNull()) return {};
        if (!root.IsMap())
            refuse(file_, line_of(root.Mark()), "not a map: write 'name: value' lines");
        walk(root, "", 0);
        return std::move(items_);
    }

  private:
    void walk(const YAML::Node& map, const std::string& prefix, int depth) {
        for (const auto& entry : map) {
            const int line = line_of(entry.first.Mark());
            if (!entry.first.IsScalar()) refuse(file_, line, "a key that is not a word");
            const std::string name = prefix + entry.first.Scalar();
            if (entry.second.IsMap() && !is_known(name) && has_known_below(name)) {
                if (depth >= depth_limit) refuse(file_, line, "maps nested deeper than 8 (limit)");
                walk(entry.second, name + '.', depth + 1);
            } else {
                add(name, line, entry.second);
            }
        }
    }

    void add(const std::string& name, int line, const YAML::Node& value) {
        if (!is_known(name)) refuse_unknown(name, line);
        if (!lines_.emplace(name, line).second) {
            refuse(file_, line,
                   "key '" + name + "' is given twice (first on line " +
                       std::to_string(lines_[name]) + "): remove one");
        }
        items_.push_back(item_of(app_, name, values_of(name, line, value)));
    }

    std::vector<std::string> values_of(const std::string& name, int line, const YAML::Node& value) {
        if (value.IsScalar()) return {value.Scalar()};
        std::vector<std::string> values;
        if (value.IsSequence()) {
            for (const auto& element : value) {
                if (!element.IsScalar())
                    refuse(file_, line,
                           "key '" + name + "' has a list of something else than values");
                values.push_back(element.Scalar());
            }
        } else if (value.IsMap()) {
            refuse(file_, line,
                   "key '" + name + "' has a map (it takes a value): write '" + name + ": value'");
        }
        if (values.empty())
            refuse(file_, line, "key '" + name + "' has no value: give one, or remove the line");
        return values;
    }

    bool is_known(const std::string& name) const {
        return std::find(known_.begin(), known_.end(), name) != known_.end();
    }

    bool has_known_below(const std::string& name) const {
        return std::any_of(known_.begin(), known_.end(),
                           [&](const std::string& known) { return known.starts_with(name + '.'); });
    }

    [[noreturn]] void refuse_unknown(const std::string& name, int line) const {
        std::string text = "unknown key '" + name + "'";
        const std::string near = nearest_name(name, known_);
        if (!near.empty()) text += ": did you mean '" + near + "'?";
        refuse(file_, line, text);
    }

    const CLI::App& app_;
    std::string file_;
    std::map<std::string, int>& lines_;
    std::vector<std::string> known_;
    std::vector<CLI::ConfigItem> items_;
};

std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
    constexpr std::size_t longest_name = 64;
    if (name.size() > longest_name) return {};
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
    for (const std::string& candidate : known) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            if (!is_command_line_only(name) && option->get_configurable()) names.push_back(name);
        }
    }
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        const std::string prefix = sub->get_name().empty() ? "" : sub->get_name() + '.';
        for (const std::string& name : option_names(*sub)) names.push_back(prefix + name);
    }
    return names;
}

std::vector<CLI::ConfigItem> YamlConfig::from_config(std::istream& input) const {
    file_ = app_.get_config_ptr()->as<std::string>();
    lines_.clear();
    std::string text(file_bytes + 1, '\0');
    input.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(input.gcount()));
    if (text.size() > file_bytes)
        refuse(file_, 1, "the file is larger than 1 MiB (limit): is it the right one?");
    try {
        return Reader(app_, file_, lines_).read(YAML::Load(text));
    } catch (const YAML::Exception& error) {
        refuse(file_, line_of(error.mark), "not YAML (" + error.msg + ")");
    }
}

std::string YamlConfig::place_of(const std::string& full_name) const {
    const auto found = lines_.find(full_name);
    if (found == lines_.end()) return {};
    return file_ + " line " + std::to_string(found->second) + ": ";
}

}  // namespace farm
