#include "common/ops/config.h"

#include <cctype>
#include <iostream>
#include <sstream>
#include <utility>

#include "common/core/version.h"
#include "common/ops/yaml_config.h"

namespace farm {
namespace {

constexpr int usage_error_code = 2;

std::string environment_name(const std::string& option) {
    std::string name = "FARM_";
    for (char c : option) {
        name += c == '-' || c == '.'
                    ? '_'
                    : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
}

void name_environment(CLI::App& app) {
    for (CLI::Option* option : app.get_options()) {
        if (option->get_lnames().empty() || !option->get_configurable()) continue;
        const std::string& name = option->get_lnames().front();
        if (name == "help" || name == "version" || name == "config") continue;
        if (option->get_envname().empty()) option->envname(environment_name(name));
    }
    for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; }))
        name_environment(*sub);
}

/// CLI11 names the option in the text; where its value came from the file, says so.
std::string with_place(const CLI::App& app, const YamlConfig& file, const std::string& text) {
    for (const std::string& name : option_names(app)) {
        const std::string place = file.place_of(name);
        const std::string flag = "--" + name.substr(name.rfind('.') + 1);
        if (!place.empty() && text.find(flag) != std::string::npos) return place + text;
    }
    return text;
}

}  // namespace

CommandLine::CommandLine(std::string program, std::string description)
    : app_(std::make_unique<CLI::App>(std::move(description), program)) {
    log_.program = std::move(program);
    app_->set_version_flag("--version", log_.program + ' ' + std::string(version),
                           "Print the version and exit");
    app_->set_config("--config", "", "YAML file with the same names as the flags");
    app_->config_formatter(std::make_shared<YamlConfig>(*app_));
    app_->add_option("--log-level", log_level_, "trace, debug, info, warning, error or off")
        ->capture_default_str();
    app_->add_flag("--log-json", log_.json, "Log one JSON object per line");
}

CommandLine::~CommandLine() = default;

std::optional<CommandLine::Stop> CommandLine::try_parse(int argc, const char* const* argv) {
    name_environment(*app_);
    const auto file = std::static_pointer_cast<YamlConfig>(app_->get_config_formatter());
    try {
        app_->parse(argc, argv);
    } catch (const CLI::Success& success) {
        std::ostringstream text;
        std::ostringstream none;
        app_->exit(success, text, none);
        return Stop{0, text.str()};
    } catch (const CLI::FileError&) {
        return Stop{usage_error_code, "cannot read the configuration file '" +
                                          app_->get_config_ptr()->as<std::string>() +
                                          "' (no such file, or no permission): check --config\n"};
    } catch (const CLI::ParseError& error) {
        return Stop{usage_error_code, with_place(*app_, *file, error.what()) + '\n'};
    }
    const auto level = parse_log_level(log_level_);
    if (!level)
        return Stop{usage_error_code,
                    with_place(*app_, *file, "--log-level: " + level.error().message) + '\n'};
    log_.level = *level;
    return std::nullopt;
}

std::optional<int> CommandLine::parse(int argc, const char* const* argv) {
    const auto stop = try_parse(argc, argv);
    if (!stop) {
        start_log(log_);
        return std::nullopt;
    }
    if (stop->exit_code == 0) {
        std::cout << stop->message << std::flush;
    } else {
        std::cerr << log_.program << ": " << stop->message << "Run '" << log_.program
                  << " --help' for what it takes.\n";
    }
    return stop->exit_code;
}

}  // namespace farm
