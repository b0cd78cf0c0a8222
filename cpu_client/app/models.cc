#include <cstdio>
#include <memory>

#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/models_text.h"

namespace farm {

namespace {

struct Flags {
    ConnectionFlags connection;
    bool json{false};
};

Result<void> show_models(const Flags& flags) {
    auto client = connect(flags.connection);
    if (!client) return tl::unexpected(client.error());
    const auto catalog = client->models(timeout(flags.connection));
    if (!catalog) return tl::unexpected(catalog.error());
    std::fputs((flags.json ? models_json(*catalog) : models_text(*catalog)).c_str(), stdout);
    return {};
}

}  // namespace

Command declare_models(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app =
        tool.add_subcommand("models", "What the farm offers: models, versions, signatures");
    app->add_flag("--json", flags->json, "Print JSON");
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm models\n"
        "  farm models --broker tcp://head:5600 --json");
    return {app, [flags] {
                const auto done = show_models(*flags);
                return done ? 0 : report(done.error());
            }};
}

}  // namespace farm
