#pragma once

#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "common/ops/log.h"

namespace farm {

/// The command line of a program of ours: flags, a YAML file with the same names, environment.
///
/// Adds --help, --version, --config FILE, --log-level and --log-json to what the program declares
/// on app(). An option --some-name can be given, first wins:
///   1. as a flag,
///   2. in the file: `some-name: value`, a list for an option that may be repeated; an option
///      --group.name also as a map `group: {name: value}`; an option of a subcommand as
///      `subcommand: {name: value}`,
///   3. as FARM_SOME_NAME in the environment.
/// An unknown key of the file is an error with file, line, key and the nearest known name; so are
/// a key given twice, an empty value, and a value of the wrong type.
/// Used once, by main().
class CommandLine {
  public:
    CommandLine(std::string program, std::string description);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    CLI::App& app() { return *app_; }

    /// Fills the bound variables and starts the log. Gives an exit code when the program is over
    /// (help or version was printed: 0; an error was: 2). Lines go to stdout and stderr.
    std::optional<int> parse(int argc, const char* const* argv);

    /// The same without printing, exiting or logging: help text or version as `message` with
    /// `exit_code` 0, an error text with 2.
    struct Stop {
        int exit_code{0};
        std::string message;
    };
    std::optional<Stop> try_parse(int argc, const char* const* argv);

    const LogOptions& log_options() const { return log_; }

  private:
    std::unique_ptr<CLI::App> app_;
    std::string log_level_{"info"};
    LogOptions log_;
};

}  // namespace farm
