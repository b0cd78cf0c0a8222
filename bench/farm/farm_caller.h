#pragma once

#include <string>

#include "bench/load/load.h"
#include "cpu_client/lib/client.h"

namespace farm::bench {

/// Calls one model of a farm with one uint8 tensor, as a user of the client library would.
///
/// Questions are made once per run; the first answer of each is compared: with the question, or,
/// when the model only reads, with its sum. One thread.
class FarmCaller {
  public:
    struct Options {
        std::string model;
        bool reads_only{false};  ///< a model of kind "sum"
        bool placed{false};      ///< questions lie in memory of Client::allocate
    };

    FarmCaller(Client& client, Options options) : client_(client), options_(std::move(options)) {}

    Result<Sample> run(const Load& load);

  private:
    Result<void> check(const Inference& answer, std::string_view question) const;

    Buffer place(std::string_view question);

    Client& client_;
    Options options_;
};

}  // namespace farm::bench
