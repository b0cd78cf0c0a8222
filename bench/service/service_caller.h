#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "bench/load/load.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {

/// Calls one model of a farm with events in turns, as processes that each wait for their answer
/// would. One thread.
class ServiceCaller {
  public:
    /// `events`: a folder of folders with <input name>.npy in them. The client outlives this.
    static Result<ServiceCaller> make(Client& client, const std::string& model,
                                      const std::filesystem::path& events);

    /// From the first call to the last answer; so the time in which calls become fewer counts.
    /// Error: a call did not end OK.
    Result<Sample> run(int clients, std::uint64_t calls);

  private:
    ServiceCaller(Client& client, std::string model, std::vector<Inputs> events)
        : client_(&client), model_(std::move(model)), events_(std::move(events)) {}

    Client* client_;
    std::string model_;
    std::vector<Inputs> events_;
    std::size_t next_{0};
};

}  // namespace farm::bench
