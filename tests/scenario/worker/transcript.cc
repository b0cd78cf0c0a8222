#include "tests/scenario/worker/transcript.h"

#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "tests/support/worker_rim.h"

namespace farm {
namespace {

using Words = std::vector<std::string>;

std::string text_of(const CallKey& key) {
    const std::string number = std::to_string(key.id.bytes[15]);
    return " " + (key.attempt == 1 ? number : number + "." + std::to_string(key.attempt));
}

std::string text_of(const std::vector<CallKey>& keys) {
    std::string text;
    for (const CallKey& key : keys) text += text_of(key);
    return text;
}

CallKey key_of(const std::string& word) {
    const auto dot = word.find('.');
    const int attempt = dot == std::string::npos ? 1 : std::stoi(word.substr(dot + 1));
    return call_key(std::stoull(word), static_cast<std::uint8_t>(attempt));
}

/// What is worth reading of each verb.
struct MessageText {
    std::string operator()(const Hello& m) const {
        return m.open.empty() ? "" : ", open:" + text_of(m.open);
    }
    std::string operator()(const Advertise& m) const {
        std::string text;
        for (const ServiceAd& ad : m.services) {
            text +=
                " " + service_name(ad.model, ad.version) + (ad.failure.empty() ? "" : " (failed)");
        }
        return text;
    }
    std::string operator()(const Credit& m) const {
        std::string text = " " + std::to_string(m.sequence) + ":";
        for (const ServiceWindow& window : m.windows) {
            text += " " + std::to_string(window.request_count);
        }
        return text;
    }
    std::string operator()(const Beat& m) const {
        return (m.running.empty() ? "" : " running" + text_of(m.running)) +
               (m.foreign_backlog_ns == 0
                    ? ""
                    : " foreign " + std::to_string(m.foreign_backlog_ns / 1000) + " us");
    }
    std::string operator()(const Started& m) const { return text_of(m.calls); }
    std::string operator()(const Send& m) const {
        return text_of(m.key) + " up to " + std::to_string(m.granted_bytes);
    }
    std::string operator()(const Goodbye& m) const { return " (" + m.reason + ")"; }
    std::string operator()(const Answer& m) const {
        return text_of(m.key) + " " + std::string(to_string(m.outcome)) +
               (m.reason == Reason::none ? "" : "/" + std::string(to_string(m.reason))) +
               (m.chunked ? " chunked" : "") + " #" + std::to_string(m.sequence) +
               (m.detail.empty() ? "" : ": " + m.detail);
    }
    template <class Other>
    std::string operator()(const Other&) const {
        return "";
    }
};

struct EffectText {
    const std::map<LinkId, std::size_t>& broker_of_link;

    std::string to(LinkId link) const {
        return "-> " + std::to_string(broker_of_link.at(link) + 1) + " ";
    }
    std::string operator()(const OpenLink& e) const { return to(e.link) + "open link"; }
    std::string operator()(const OpenBulk& e) const { return to(e.link) + "open bulk"; }
    std::string operator()(const BindBulk& e) const { return to(e.control) + "bind bulk"; }
    std::string operator()(const CloseLink& e) const { return to(e.link) + "close link"; }
    std::string operator()(const Transmit& e) const {
        return to(e.link) + std::string(verb_name(e.message)) +
               std::visit(MessageText{}, e.message);
    }
    std::string operator()(const TransmitChunk& e) const {
        return to(e.link) + "CHUNK" + text_of(e.key) + " " + std::to_string(e.offset) + "+" +
               std::to_string(e.length);
    }
    std::string operator()(const StartRun& e) const {
        std::vector<CallKey> keys;
        for (const RunCall& call : e.calls) keys.push_back(call.key);
        return "start run " + std::to_string(e.run.value) + " of model " +
               std::to_string(e.service.value) + " on instance " + std::to_string(e.instance) +
               ":" + text_of(keys);
    }
    std::string operator()(const StartSelfTest& e) const {
        return "start self-test of model " + std::to_string(e.service.value);
    }
    std::string operator()(const ExpectFrames&) const { return "expect frames"; }
    std::string operator()(const StoreChunk& e) const {
        return "store chunk at " + std::to_string(e.offset);
    }
    std::string operator()(const Finished&) const { return "finished"; }
    std::string operator()(const Note& e) const { return "note: " + e.text; }
    std::string operator()(const DropPayload&) const { return ""; }
};

template <class Enum>
Enum parse_enum(const std::string& name, int count) {
    for (int i = 0; i < count; ++i) {
        if (to_string(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
    }
    throw std::invalid_argument("transcript: unknown name '" + name + "'");
}

class Player {
  public:
    explicit Player(std::size_t brokers) : rim_(brokers) {}

    std::string play(const Words& words) {
        command(words.at(0), words);
        for (const auto& open : all_of<OpenLink>(rim_.effects)) brokers_[open.link] = open.address;
        std::string text;
        for (const WorkerEffect& effect : rim_.effects) {
            const std::string line = std::visit(EffectText{brokers_}, effect);
            if (!line.empty()) text += "    " + line + "\n";
        }
        for (const std::string& problem : std::exchange(rim_.problems, {})) {
            text += "    PROBLEM: " + problem + "\n";
        }
        if (rim_.machine.finished()) {
            text += "    payloads left: " + std::to_string(rim_.live_payloads.size()) + "\n";
        }
        return text;
    }

  private:
    void command(const std::string& verb, const Words& words) {
        if (verb == "tick")
            return void(rim_.advance(std::chrono::milliseconds(std::stoi(words.at(1)))));
        if (verb == "model") return model(words);
        if (verb == "drain" && words.size() == 1) return void(rim_.step(DrainRequested{}));
        if (verb == "finish") return finish(words);
        if (verb == "tested") {
            return void(rim_.step(SelfTestFinished{index(words.at(1)), words.at(2) == "passed"}));
        }
        const std::size_t broker = std::stoul(words.at(1)) - 1;
        if (verb == "opened") return void(rim_.opened(broker));
        if (verb == "lost") return void(rim_.lost(broker));
        if (verb == "welcome") return welcome(broker, words);
        if (verb == "call") return call(broker, words);
        if (verb == "beat") return beat(broker, words);
        rim_.receive(broker, message(verb, broker, words));
    }

    Message message(const std::string& verb, std::size_t broker, const Words& words) {
        if (verb == "drain") return Drain{};
        if (verb == "hush") return Beat{};
        if (verb == "attach") return Attach{SessionId{100 + broker}, {}};
        if (verb == "goodbye") return Goodbye{"leaving"};
        if (verb == "refused")
            return Refused{parse_enum<RefusedReason>(words.at(2), 7), "so it is"};
        if (verb == "cancel") return Cancel{key_of(words.at(2)).id};
        if (verb == "send") return Send{key_of(words.at(2)), std::stoull(words.at(3))};
        if (verb == "chunk") {
            return Chunk{key_of(words.at(2)), 0, std::stoull(words.at(3)),
                         static_cast<std::uint32_t>(std::stoul(words.at(4))), rim_.new_payload()};
        }
        throw std::invalid_argument("transcript: unknown command '" + verb + "'");
    }

    static ServiceIndex index(const std::string& word) {
        return ServiceIndex{static_cast<std::uint16_t>(std::stoul(word))};
    }
    static std::uint32_t number(const std::string& word) {
        return static_cast<std::uint32_t>(std::stoul(word));
    }

    void model(const Words& words) {
        ServiceAd ad;
        ad.index = index(words.at(1));
        ad.model = "m" + words.at(1);
        for (std::size_t i = 2; i < words.size(); ++i) {
            if (words[i] == "rows") {
                ad.batch = BatchRule::rows;
                ad.max_batch_rows = number(words.at(++i));
            } else if (words[i] == "instances") {
                ad.instance_count = number(words.at(++i));
            } else if (words[i] == "once") {
                ad.idempotent = false;
            } else if (words[i] == "failed") {
                ad.failure = "its file is broken";
            }
        }
        rim_.model(ad);
    }

    void welcome(std::size_t broker, const Words& words) {
        std::uint64_t epoch = 1;
        std::vector<CallKey> known;
        for (std::size_t i = 2; i < words.size(); ++i) {
            if (words[i] == "epoch") {
                epoch = std::stoull(words.at(++i));
            } else if (words[i] != "knows") {
                known.push_back(key_of(words[i]));
            }
        }
        rim_.welcome(broker, known, epoch);
    }

    void call(std::size_t broker, const Words& words) {
        WorkerRim::CallOptions options;
        const CallKey key = key_of(words.at(2));
        options.attempt = key.attempt;
        for (std::size_t i = 3; i < words.size(); ++i) {
            const std::string& word = words[i];
            if (word == "model") options.service = index(words.at(++i)).value;
            if (word == "deadline") options.remaining_ms = number(words.at(++i));
            if (word == "rows") options.rows = number(words.at(++i));
            if (word == "priority")
                options.priority = static_cast<std::uint8_t>(number(words.at(++i)));
            if (word == "suspect") options.suspect = true;
            if (word == "result") options.max_result_bytes = std::stoull(words.at(++i));
            if (word == "bad") options.problem = Error{ErrorCode::invalid, "input 'x' is missing"};
            if (word == "large") {
                options.chunked = true;
                options.input_bytes = std::stoull(words.at(++i));
            }
        }
        rim_.call(broker, key.id.bytes[15], options);
    }

    void beat(std::size_t broker, const Words& words) {
        std::vector<QueueDepth> depths;
        if (words.size() > 4) depths.push_back({index(words.at(3)), number(words.at(4))});
        rim_.beat(broker, depths);
    }

    void finish(const Words& words) {
        Outcome outcome = Outcome::ok;
        std::uint64_t bytes = 100;
        for (std::size_t i = 2; i < words.size(); ++i) {
            if (words[i] == "bytes") {
                bytes = std::stoull(words.at(++i));
            } else {
                outcome = parse_enum<Outcome>(words[i], 6);
            }
        }
        rim_.finish(RunId{std::stoull(words.at(1))}, outcome, bytes);
    }

    WorkerRim rim_;
    std::map<LinkId, std::size_t> brokers_;
};

}  // namespace

std::string play_worker_transcript(const std::string& text) {
    std::istringstream lines(text);
    std::string played;
    std::unique_ptr<Player> player;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("    ")) continue;
        played += line + "\n";
        if (line.empty() || line[0] == '#') continue;
        std::istringstream stream(line);
        Words words;
        for (std::string word; stream >> word;) words.push_back(word);
        if (words.at(0) == "brokers") {
            player = std::make_unique<Player>(std::stoul(words.at(1)));
            continue;
        }
        if (!player) player = std::make_unique<Player>(1);
        played += player->play(words);
    }
    return played;
}

}  // namespace farm
