#include <cstdio>
#include <memory>

#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/table.h"

namespace farm {

namespace {

struct Flags {
    ConnectionFlags connection;
    std::string worker;
    bool broker{false};
};

Result<void> drain(const Flags& flags) {
    if (flags.worker.empty() != flags.broker) {
        return fail(ErrorCode::invalid,
                    "drain needs the name of a worker or --this-broker (one "
                    "of them): see `farm status` for names");
    }
    auto client = connect(flags.connection, Role::admin);
    if (!client) return tl::unexpected(client.error());
    const auto answer = client->drain(flags.worker, timeout(flags.connection));
    if (!answer) return tl::unexpected(answer.error());
    std::printf("%s finishes its calls and leaves\n",
                flags.broker ? "the broker" : printable("worker " + flags.worker).c_str());
    return {};
}

}  // namespace

Command declare_drain(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand("drain", "Let a worker finish what it has and leave");
    app->add_option("worker", flags->worker, "Name of the worker, as `farm status` shows it");
    app->add_flag("--this-broker", flags->broker, "The broker in use instead of a worker");
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm drain worker-1\n"
        "  farm drain node17/4711 --broker tcp://head:5600 --key admin.secret "
        "--broker-key broker.pub");
    return {app, [flags] {
                const auto done = drain(*flags);
                return done ? 0 : report(done.error());
            }};
}

}  // namespace farm
