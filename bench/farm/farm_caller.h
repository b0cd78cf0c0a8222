#pragma once

#include <string>

#include "bench/load/load.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {

/// Calls one model of a farm with one uint8 tensor, as a user of the client library would.
///
/// Questions are made once per run; the first answer of each is compared: with the question, or,
/// when `reads_only` (a model of kind "sum"), with its sum. One thread.
class FarmCaller {
  public:
    FarmCaller(Client& client, std::string model, bool reads_only)
        : client_(client), model_(std::move(model)), reads_only_(reads_only) {}

    Result<Sample> run(const Load& load);

  private:
    Result<void> check(const Inference& answer, std::string_view question) const;

    Client& client_;
    std::string model_;
    bool reads_only_;
};

}  // namespace farm::bench
