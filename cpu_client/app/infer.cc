#include <cstdio>
#include <memory>

#include "common/ops/npy.h"
#include "cpu_client/app/command.h"
#include "cpu_client/app/connection.h"
#include "cpu_client/app/exit_code.h"
#include "cpu_client/app/infer_text.h"
#include "cpu_client/app/input_maker.h"
#include "cpu_client/events/file_text.h"

namespace farm {

namespace {

namespace fs = std::filesystem;

struct Flags {
    ConnectionFlags connection;
    LocalFlags local;
    std::string model;
    std::vector<std::string> inputs;
    std::string output_folder;
    double deadline_s{60};
    std::uint32_t priority{CallOptions{}.priority};
    bool json{false};
};

Result<Inputs> read_inputs(const std::vector<std::string>& texts) {
    const auto files = parse_named("--input", texts);
    if (!files) return tl::unexpected(files.error());
    Inputs inputs;
    for (const auto& [name, file] : *files) {
        auto tensor = read_npy(file, name);
        if (!tensor) return tl::unexpected(tensor.error());
        inputs.push_back({name, {tensor->desc.type, tensor->desc.shape, tensor->data}});
    }
    return inputs;
}

Result<void> write_outputs(const Inference& inference, const fs::path& folder) {
    if (auto made = make_folder(folder, "give another with --output-dir"); !made) return made;
    for (const Tensor& tensor : inference.outputs) {
        const auto written = write_npy(folder / output_file_name(tensor.desc.name), tensor);
        if (!written) return written;
    }
    return {};
}

int run(const Flags& flags) {
    const auto inputs = read_inputs(flags.inputs);
    if (!inputs) return report(inputs.error());
    auto client = connect(flags.connection, flags.local);
    if (!client) return report(client.error());
    CallOptions options;
    options.deadline = duration_of(flags.deadline_s);
    options.priority = static_cast<std::uint8_t>(flags.priority);
    const Inference inference = client->infer(flags.model, *inputs, options).get();
    if (inference.ok() && !flags.output_folder.empty()) {
        const auto written = write_outputs(inference, flags.output_folder);
        if (!written) return report(written.error());
    }
    if (flags.json) std::fputs(inference_json(inference).c_str(), stdout);
    if (!inference.ok()) return report(inference.status, inference.detail);
    if (!flags.json) std::fputs(inference_text(inference, flags.output_folder).c_str(), stdout);
    return 0;
}

}  // namespace

Command declare_infer(CLI::App& tool) {
    auto flags = std::make_shared<Flags>();
    CLI::App* app = tool.add_subcommand("infer", "One call of a model, with .npy files");
    app->add_option("model", flags->model, "MODEL (its highest version) or MODEL/VERSION")
        ->required();
    app->add_option("--input", flags->inputs, "NAME=FILE.npy; once for each input");
    app->add_option("--output-dir", flags->output_folder, "Folder for NAME.npy of each output");
    app->add_option("--deadline", flags->deadline_s, "Seconds that the call may take")
        ->check(CLI::Range(0.001, 86400.0))
        ->capture_default_str();
    app->add_option("--priority", flags->priority, "0 to 255, smaller is served first")
        ->check(CLI::Range(0, 255))
        ->capture_default_str();
    add_local_flags(*app, flags->local);
    app->add_flag("--json", flags->json, "Print JSON");
    add_connection_flags(*app, flags->connection);
    app->footer(
        "Examples:\n"
        "  farm infer gnn --input nodes=x.npy --input edge_index=e.npy --output-dir out\n"
        "  farm infer gnn/1 --input nodes=x.npy --input edge_index=e.npy --local "
        "--models data/models\n\n" +
        exit_code_help());
    return {app, [flags] { return run(*flags); }};
}

}  // namespace farm
