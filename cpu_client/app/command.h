#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace farm {

/// One subcommand. `run` is called when `app` was named on the command line, gives the exit code
/// and has told of every error by report().
struct Command {
    CLI::App* app{nullptr};
    std::function<int()> run;
};

/// Each declares its flags and examples; see the .cc file of the same name.
Command declare_up(CLI::App& tool);
Command declare_status(CLI::App& tool);
Command declare_models(CLI::App& tool);
Command declare_infer(CLI::App& tool);
Command declare_bench(CLI::App& tool);
Command declare_drain(CLI::App& tool);
Command declare_keygen(CLI::App& tool);
Command declare_version(CLI::App& tool);
Command declare_demo(CLI::App& tool);
Command declare_events(CLI::App& tool);
Command declare_track(CLI::App& tool);

}  // namespace farm
