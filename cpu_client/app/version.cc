#include <cstdio>

#include "common/core/version.h"
#include "cpu_client/app/command.h"
#include "schemas/messages.h"

namespace farm {

Command declare_version(CLI::App& tool) {
    CLI::App* app = tool.add_subcommand("version", "Print the version of tool and protocol");
    return {app, [] {
                std::printf("farm %.*s, protocol %d\n", static_cast<int>(version.size()),
                            version.data(), protocol_version);
                return 0;
            }};
}

}  // namespace farm
