#include <cstdio>
#include <filesystem>
#include <memory>

#include "common/net/curve.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/exit_code.h"

namespace farm {

namespace {

struct Flags {
    std::string name;
    std::string folder{"."};
    std::string tenant;
    std::string roles{"client"};
};

Result<void> make_keys(const Flags& flags) {
    if (flags.name.empty() || flags.name.find('/') != std::string::npos) {
        return fail(ErrorCode::invalid, "key name '" + flags.name +
                                            "' is not a file name: leave out folders, use --dir");
    }
    const auto roles = parse_roles(flags.roles);
    if (!roles) return tl::unexpected(roles.error());
    const auto keys = generate_key_pair();
    if (!keys) return tl::unexpected(keys.error());
    const std::string prefix = (std::filesystem::path(flags.folder) / flags.name).string();
    if (const auto done = write_key_pair(*keys, prefix, flags.tenant, *roles); !done) return done;
    std::printf(
        "%s.secret  keep it with the program (--key)\n"
        "%s.pub     put it into the broker's --allow folder; of a broker: --broker-key\n",
        prefix.c_str(), prefix.c_str());
    return {};
}

}  // namespace

Command declare_keygen(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand("keygen", "Make a CURVE key pair");
    app->add_option("name", flags->name, "File name of the pair, without ending")->required();
    app->add_option("--dir", flags->folder, "Folder to write to")->capture_default_str();
    app->add_option("--tenant", flags->tenant, "Whose calls these are (default: the name)");
    app->add_option("--roles", flags->roles, "client, worker, broker, admin; commas between them")
        ->capture_default_str();
    app->footer(
        "Examples:\n"
        "  farm keygen broker --roles broker --dir /etc/eventfarm\n"
        "  farm keygen atlas --tenant atlas --roles client,worker");
    return {app, [flags] {
                const auto done = make_keys(*flags);
                return done ? 0 : report(done.error());
            }};
}

}  // namespace farm
