#pragma once

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "common/ops/process.h"

namespace farm {

/// Real brokers and workers as children, on Unix sockets in a folder that goes with this object.
/// Throws std::runtime_error where a program cannot be started: the test cannot go on.
class FarmChildren {
  public:
    FarmChildren() {
        std::string name = (std::filesystem::temp_directory_path() / "farm-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        folder_ = name;
        std::filesystem::create_directories(models());
    }
    ~FarmChildren() {
        children_.clear();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    FarmChildren(const FarmChildren&) = delete;
    FarmChildren& operator=(const FarmChildren&) = delete;

    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path models() const { return folder_ / "models"; }
    std::string url(const std::string& broker = "broker") const {
        return "ipc://" + (folder_ / (broker + ".sock")).string();
    }

    /// A model of the reference backend with these lines in its config.pbtxt.
    void add_model(const std::string& name, const std::map<std::string, std::string>& parameters,
                   const std::string& config = "") {
        std::filesystem::create_directories(models() / name / "1");
        std::ofstream out(models() / name / "config.pbtxt");
        out << "backend: \"reference\"\n" << config << "\n";
        for (const auto& [key, value] : parameters) {
            out << "parameters { key: \"" << key << "\" value { string_value: \"" << value
                << "\" } }\n";
        }
    }

    void start_broker(const std::string& name = "broker",
                      const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{program("farm-broker"), "--bind", url(name), "--name",
                                           name};
        if (std::ranges::find(more, "--beat-ms") == more.end()) {
            arguments.insert(arguments.end(), {"--beat-ms", "200"});
        }
        arguments.insert(arguments.end(), more.begin(), more.end());
        start(name, std::move(arguments));
    }
    void start_worker(const std::string& name, const std::string& brokers,
                      const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments{program("farm-worker"),
                                           "--broker",
                                           brokers,
                                           "--models",
                                           models().string(),
                                           "--name",
                                           name,
                                           "--device",
                                           "cpu"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        start(name, std::move(arguments));
    }
    ChildProcess& child(const std::string& name) { return children_.at(name); }
    void kill(const std::string& name) {
        child(name).signal(SIGKILL);
        child(name).wait(std::chrono::seconds(10));
    }
    std::string log(const std::string& name) const {
        std::ifstream in(folder_ / (name + ".log"));
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }

  private:
    static std::string program(const std::string& name) {
        std::istringstream folders(FARM_TEST_BIN_DIR);
        for (std::string folder; std::getline(folders, folder, ':');) {
            const auto path = std::filesystem::path(folder) / name;
            if (std::filesystem::exists(path)) return path.string();
        }
        throw std::runtime_error(name + " is not in " FARM_TEST_BIN_DIR);
    }
    void start(const std::string& name, std::vector<std::string> arguments) {
        SpawnOptions options;
        options.arguments = std::move(arguments);
        options.stdout_file = (folder_ / (name + ".log")).string();
        options.stderr_file = options.stdout_file;
        auto child = ChildProcess::spawn(options);
        if (!child) throw std::runtime_error(child.error().message);
        children_.erase(name);
        children_.emplace(name, std::move(*child));
    }

    std::filesystem::path folder_;
    std::map<std::string, ChildProcess> children_;
};

}  // namespace farm
