#include "tests/sim/describe.h"

namespace farm::sim {
namespace {

std::string text(const CallKey& key) {
    return " call " + short_hex(key.id) + "/" + std::to_string(key.attempt);
}

std::string text(const std::vector<CallKey>& keys) {
    std::string all;
    for (const CallKey& key : keys) all += text(key);
    return all;
}

struct Describer {
    std::string operator()(const Hello& m) const {
        return " " + m.name + " epoch " + std::to_string(m.epoch) + " open:" + text(m.open);
    }
    std::string operator()(const Welcome& m) const {
        return " session " + std::to_string(m.session.value) + " known:" + text(m.known);
    }
    std::string operator()(const Refused& m) const {
        return " " + std::string(to_string(m.reason)) + ": " + m.detail;
    }
    std::string operator()(const Goodbye& m) const { return " " + m.reason; }
    std::string operator()(const Advertise& m) const {
        std::string all;
        for (const ServiceAd& ad : m.services) {
            all += " " + std::to_string(ad.index.value) + "=" + service_name(ad.model, ad.version) +
                   (ad.failure.empty() ? "" : "(failed)");
        }
        return all;
    }
    std::string operator()(const Credit& m) const {
        std::string all =
            " #" + std::to_string(m.sequence) + " bytes " + std::to_string(m.device_bytes);
        for (const ServiceWindow& window : m.windows) {
            all += " " + std::to_string(window.service.value) + ":" +
                   std::to_string(window.request_count);
        }
        return all;
    }
    std::string operator()(const Beat& m) const {
        return " credit " + std::to_string(m.credit_sequence) + " result " +
               std::to_string(m.result_sequence) + " running:" + text(m.running);
    }
    std::string operator()(const Call& m) const {
        return text(m.key) + " " + m.service + " remaining " + std::to_string(m.remaining_ms) +
               " ms" + (m.chunked ? " streamed " + std::to_string(m.streamed_bytes) : "") +
               (m.suspect ? " suspect" : "");
    }
    std::string operator()(const Answer& m) const {
        return text(m.key) + " " + std::string(to_string(m.outcome)) + " " +
               std::string(to_string(m.reason)) + (m.was_running ? " was running" : "") +
               (m.chunked ? " streamed " + std::to_string(m.streamed_bytes) : "") +
               (m.sequence != 0 ? " #" + std::to_string(m.sequence) : "") + " " + m.detail;
    }
    std::string operator()(const Send& m) const {
        return text(m.key) + " up to " + std::to_string(m.granted_bytes);
    }
    std::string operator()(const Chunk& m) const {
        return text(m.key) + " at " + std::to_string(m.offset) + " + " + std::to_string(m.length);
    }
    std::string operator()(const Started& m) const { return text(m.calls); }
    std::string operator()(const Cancel& m) const { return " call " + short_hex(m.id); }
    template <class Other>
    std::string operator()(const Other&) const {
        return {};
    }
};

}  // namespace

std::string describe(const Message& message) {
    return std::string(verb_name(message)) + std::visit(Describer{}, message);
}

}  // namespace farm::sim
