#include "tests/scenario/client/transcript.h"

#include <sstream>
#include <stdexcept>
#include <vector>

#include "cpu_client/core/client_machine.h"

namespace farm {
namespace {

std::string call_text(const CallId& id) { return "call " + std::to_string(id.bytes[15]); }
std::string call_text(const CallKey& key) {
    return call_text(key.id) + " attempt " + std::to_string(key.attempt);
}
CallId call_id(const std::string& number) { return CallId::from_words(1, std::stoull(number)); }

std::string detail_of(const Message& message) {
    if (const auto* hello = std::get_if<Hello>(&message)) {
        std::string text;
        for (const CallKey& key : hello->open) text += ", open: " + call_text(key);
        return text;
    }
    if (const auto* call = std::get_if<Call>(&message)) {
        return " " + call_text(call->key) + " remaining " + std::to_string(call->remaining_ms) +
               " ms" + (call->suspect ? " suspect" : "") + (call->avoid ? " avoid worker" : "");
    }
    if (const auto* cancel = std::get_if<Cancel>(&message)) return " " + call_text(cancel->id);
    if (const auto* goodbye = std::get_if<Goodbye>(&message)) return " (" + goodbye->reason + ")";
    return "";
}

struct EffectText {
    std::string operator()(const OpenLink& e) const {
        return "open link " + std::to_string(e.link.value) + " to address " +
               std::to_string(e.address);
    }
    std::string operator()(const OpenDirect& e) const { return "open direct " + e.url; }
    std::string operator()(const OpenBulk& e) const {
        return "open bulk of link " + std::to_string(e.link.value);
    }
    std::string operator()(const CloseLink& e) const {
        return "close link " + std::to_string(e.link.value);
    }
    std::string operator()(const Transmit& e) const {
        return "send " + std::string(verb_name(e.message)) + detail_of(e.message);
    }
    std::string operator()(const Complete& e) const {
        return "complete " + call_text(e.id) + " " + std::string(to_string(e.status)) +
               (e.detail.empty() ? "" : ": " + e.detail);
    }
    std::string operator()(const Quarantine& e) const { return "quarantine " + call_text(e.id); }
    std::string operator()(const Note& e) const { return "note: " + e.text; }
    std::string operator()(const Reply&) const { return "reply"; }
    std::string operator()(const TransmitChunk&) const { return "send CHUNK"; }
    std::string operator()(const ExpectFrames&) const { return "expect frames"; }
    std::string operator()(const StoreChunk&) const { return "store chunk"; }
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
    explicit Player(std::size_t brokers) : machine_(options(brokers)) {}

    std::string play(const std::string& line) {
        std::istringstream words(line);
        std::string verb;
        words >> verb;
        std::vector<std::string> arguments;
        for (std::string word; words >> word;) arguments.push_back(word);
        ClientEffects effects;
        machine_.step(input_of(verb, arguments), now_, effects);
        std::string text;
        for (const ClientEffect& effect : effects) {
            if (const auto* open = std::get_if<OpenLink>(&effect)) link_ = open->link;
            const std::string shown = std::visit(EffectText{}, effect);
            if (!shown.empty()) text += "    " + shown + "\n";
        }
        return text;
    }

  private:
    static ClientOptions options(std::size_t brokers) {
        ClientOptions options;
        options.peer = PeerId::from_words(3, 3);
        for (std::size_t i = 0; i < brokers; ++i) {
            options.addresses.push_back("tcp://broker" + std::to_string(i) + ":5600");
        }
        return options;
    }

    ClientInput input_of(const std::string& verb, const std::vector<std::string>& arguments) {
        if (verb == "submit") return submit(arguments);
        if (verb == "cancel") return CancelCall{call_id(arguments.at(0))};
        if (verb == "shutdown") return Shutdown{};
        if (verb == "opened") return LinkOpened{link_};
        if (verb == "lost") return LinkLost{link_};
        if (verb == "answer") return answer(arguments);
        if (verb == "tick") {
            now_ += std::chrono::milliseconds(std::stoll(arguments.at(0)));
            return Tick{};
        }
        return Received{link_, message_of(verb, arguments)};
    }

    Submit submit(const std::vector<std::string>& arguments) const {
        Submit submit;
        submit.id = call_id(arguments.at(0));
        submit.service = "gnn";
        submit.deadline = now_ + std::chrono::seconds(60);
        for (std::size_t i = 1; i < arguments.size(); ++i) {
            if (arguments[i] == "once") submit.idempotent = false;
            if (arguments[i] == "deadline") {
                submit.deadline = now_ + std::chrono::milliseconds(std::stoll(arguments.at(i + 1)));
            }
        }
        return submit;
    }

    AnswerArrived answer(const std::vector<std::string>& arguments) const {
        Answer answer;
        answer.key = {call_id(arguments.at(0)),
                      static_cast<std::uint8_t>(std::stoi(arguments.at(1)))};
        answer.outcome = parse_enum<Outcome>(arguments.at(2), 6);
        answer.worker = SessionId{50};
        for (std::size_t i = 3; i < arguments.size(); ++i) {
            if (arguments[i] == "running") {
                answer.was_running = true;
            } else if (arguments[i] == "broker") {
                answer.worker = SessionId{};
            } else if (arguments[i] == "retry") {
                answer.retry_after_ms = static_cast<std::uint32_t>(std::stoul(arguments.at(++i)));
            } else {
                answer.reason = parse_enum<Reason>(arguments[i], 13);
            }
        }
        return {link_, answer, {}};
    }

    Message message_of(const std::string& verb, const std::vector<std::string>& arguments) const {
        if (verb == "beat") return Beat{};
        if (verb == "goodbye") return Goodbye{"drained"};
        if (verb == "refused") return Refused{parse_enum<RefusedReason>(arguments.at(0), 7), ""};
        if (verb != "welcome")
            throw std::invalid_argument("transcript: unknown command '" + verb + "'");
        Welcome welcome;
        welcome.session = SessionId{7};
        welcome.broker = PeerId::from_words(9, std::stoull(arguments.at(0)));
        welcome.broker_name = "broker" + arguments.at(0);
        for (std::size_t i = 2; i < arguments.size(); ++i) {
            welcome.known.push_back({call_id(arguments[i]), 1});
        }
        return welcome;
    }

    TimePoint now_{std::chrono::seconds(1000)};
    ClientMachine machine_;
    LinkId link_;
};

}  // namespace

std::string play_transcript(const std::string& text) {
    std::istringstream lines(text);
    std::string played;
    std::optional<Player> player;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("    ")) continue;
        played += line + "\n";
        if (line.empty() || line.front() == '#') continue;
        if (line.starts_with("brokers ")) {
            player.emplace(std::stoul(line.substr(8)));
        } else {
            if (!player) player.emplace(1);
            played += player->play(line);
        }
    }
    return played;
}

}  // namespace farm
