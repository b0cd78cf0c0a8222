#include <cstdio>

#include "common/ops/config.h"
#include "common/ops/log.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/exit_code.h"

int main(int argc, char** argv) {
    farm::CommandLine line("farm", "Calls models on a farm of workers, and looks after the farm");
    line.app().require_subcommand(1);
    line.app().get_option("--log-level")->default_val("warning");
    line.app().footer(farm::exit_code_help());
    CLI::App& tool = line.app();
    const farm::Command commands[] = {
        farm::declare_up(tool),     farm::declare_status(tool), farm::declare_models(tool),
        farm::declare_infer(tool),  farm::declare_bench(tool),  farm::declare_drain(tool),
        farm::declare_keygen(tool), farm::declare_events(tool), farm::declare_track(tool),
        farm::declare_demo(tool),   farm::declare_version(tool)};
    if (const auto stop = line.try_parse(argc, argv)) {
        if (stop->exit_code == 0) {
            std::fputs(stop->message.c_str(), stdout);
            return 0;
        }
        std::fprintf(stderr, "farm: error: %sRun 'farm --help' or 'farm COMMAND --help'.\n",
                     stop->message.c_str());
        return farm::usage_exit_code;
    }
    farm::start_log(line.log_options());
    for (const farm::Command& command : commands) {
        if (command.app->parsed()) return command.run();
    }
    return farm::usage_exit_code;
}
