#pragma once

#include <istream>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

/// CLI11's configuration file as YAML. Private to common/ops.
namespace farm {

/// Reads a YAML map whose keys are the long names of an app's options, nested ones with dots.
/// Every error is a CLI::ConfigError that names the file, the line and the key.
class YamlConfig : public CLI::Config {
  public:
    /// `app` outlives this; its options are looked up when a file is read.
    explicit YamlConfig(const CLI::App& app) : app_(app) {}

    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override;
    std::string to_config(const CLI::App*, bool, bool, std::string) const override { return {}; }

    /// "farm.yaml line 3: " when that option came from the file; else empty.
    std::string place_of(const std::string& full_name) const;

  private:
    const CLI::App& app_;
    mutable std::map<std::string, int> lines_;
    mutable std::string file_;
};

/// Of `known`, the name that needs the fewest changed letters; empty when none is near.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// Long names of all options that a file may set, those of subcommands as "subcommand.name".
std::vector<std::string> option_names(const CLI::App& app);

}  // namespace farm
