// schemas/wire.md is the protocol for people; these tests hold it to the code.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/wire/message_fields.h"
#include "schemas/limits.h"

namespace farm {
namespace {

std::string_view record_name(const TensorSpec&) { return "TensorSpec"; }
std::string_view record_name(const Label&) { return "Label"; }
std::string_view record_name(const CostPoint&) { return "CostPoint"; }
std::string_view record_name(const ServiceAd&) { return "ServiceAd"; }
std::string_view record_name(const ServiceWindow&) { return "ServiceWindow"; }
std::string_view record_name(const QueueDepth&) { return "QueueDepth"; }
std::string_view record_name(const LeaseGrant&) { return "LeaseGrant"; }
std::string_view record_name(const CatalogEntry&) { return "CatalogEntry"; }
std::string_view record_name(const WorkerStatus&) { return "WorkerStatus"; }
std::string_view record_name(const ServiceStatus&) { return "ServiceStatus"; }
std::string_view record_name(const QueueStatus&) { return "QueueStatus"; }
std::string_view record_name(const BrokerStatus&) { return "BrokerStatus"; }

std::string_view text_name(TextKind kind) {
    switch (kind) {
        case TextKind::text: return "text";
        case TextKind::service: return "service name";
        case TextKind::model: return "model name";
        case TextKind::url: return "url";
        default: return "name";
    }
}

/// The third direction of message_fields.h: lists what the other two read and write.
class FieldLister {
  public:
    using Tables = std::map<std::string, std::vector<std::string>>;
    static constexpr bool reads = false;

    FieldLister(std::string title, Tables& tables) : title_(std::move(title)), tables_(tables) {
        tables_[title_].clear();
    }

    template <class T>
    void number(int key, const char* name, const T&, NumberRule rule = {}) {
        row(key, name, range<T>(rule), std::to_string(rule.fallback));
    }
    template <class T>
    void required_number(int key, const char* name, const T&, NumberRule rule) {
        row(key, name, range<T>(rule), "required");
    }
    template <class Tag, class Number>
    void number_id(int key, const char* name, const OpaqueId<Tag, Number>&) {
        row(key, name, range<Number>({.low = 1}), "required");
    }
    template <class E>
    void choice(int key, const char* name, const E&, E fallback, E last) {
        row(key, name, values(last), std::string(to_string(fallback)));
    }
    template <class E>
    void required_choice(int key, const char* name, const E&, E last) {
        row(key, name, values(last), "required");
    }
    template <class Tag>
    void id(int key, const char* name, const RandomId<Tag>&) {
        row(key, name, "bin 16", "required");
    }
    template <std::size_t N>
    void bytes(int key, const char* name, const std::array<std::uint8_t, N>&) {
        row(key, name, "bin " + std::to_string(N), "zeros");
    }
    void flag(int key, const char* name, bool, bool fallback) {
        row(key, name, "bool", fallback ? "true" : "false");
    }
    void text(int key, const char* name, const std::string&, TextKind kind,
              Presence presence = Presence::optional) {
        row(key, name,
            "str <= " + std::to_string(limit_bytes(kind)) + ", " + std::string(text_name(kind)),
            presence == Presence::required ? "required" : "empty");
    }
    void fixed_binary(int key, const char* name, const std::string&, std::size_t size) {
        row(key, name, "bin " + std::to_string(size), "required");
    }
    void call_key(int key, const char* name, const CallKey&) {
        row(key, name, "call key", "required");
    }
    void call_keys(int key, const char* name, const std::vector<CallKey>&, std::size_t limit) {
        row(key, name, list_of("call key", limit), "empty");
    }
    void indices(int key, const char* name, const std::vector<ServiceIndex>&, std::size_t limit) {
        row(key, name, list_of("uint 1..65535", limit), "empty");
    }
    void dimensions(int key, const char* name, const Shape&) {
        row(key, name,
            list_of("int -1.." + std::to_string(limits::call_bytes), limits::tensor_rank), "empty");
    }
    template <class T>
    void record(int key, const char* name, T& value) {
        row(key, name, std::string(record_name(value)), "its defaults");
        describe(value);
    }
    template <class T>
    void list(int key, const char* name, std::vector<T>&, std::size_t limit) {
        T value;
        row(key, name, list_of(std::string(record_name(value)), limit), "empty");
        describe(value);
    }
    void check(bool, const char*, const char*) {}
    void check_type(const DType&) {}

  private:
    template <class T>
    static std::string range(NumberRule rule) {
        const auto high = std::min<std::uint64_t>(rule.high, std::numeric_limits<T>::max());
        if (rule.low == 0 && high == std::numeric_limits<T>::max()) {
            return "u" + std::to_string(8 * sizeof(T));
        }
        return "uint " + std::to_string(rule.low) + ".." + std::to_string(high);
    }
    template <class E>
    static std::string values(E last) {
        std::string text;
        for (int i = 0; i <= static_cast<int>(last); ++i) {
            text += (i == 0 ? "" : ", ") + std::to_string(i) + " " +
                    std::string(to_string(static_cast<E>(i)));
        }
        return text;
    }
    static std::string list_of(const std::string& what, std::size_t limit) {
        return "array <= " + std::to_string(limit) + " of " + what;
    }
    template <class T>
    void describe(T& value) {
        FieldLister inner(std::string(record_name(value)), tables_);
        fields(inner, value);
    }
    void row(int key, const char* name, const std::string& type, const std::string& fallback) {
        tables_[title_].push_back("| " + std::to_string(key) + " | " + name + " | " + type + " | " +
                                  fallback + " |");
    }

    std::string title_;
    Tables& tables_;
};

template <std::size_t... Verb>
std::vector<Message> one_of_each(std::index_sequence<Verb...>) {
    return {Message(std::in_place_index<Verb>)...};
}

std::vector<Message> all_messages() {
    return one_of_each(std::make_index_sequence<std::variant_size_v<Message>>{});
}

FieldLister::Tables all_tables() {
    FieldLister::Tables tables;
    std::vector<Message> messages = all_messages();
    for (Message& message : messages) {
        FieldLister lister(std::string(verb_name(message)), tables);
        std::visit([&](auto& item) { fields(lister, item); }, message);
    }
    // A catalog entry is a service with fields of its own: the document names only those.
    const auto& service_rows = tables.at("ServiceAd");
    std::erase_if(tables.at("CatalogEntry"), [&](const std::string& row) {
        return std::find(service_rows.begin(), service_rows.end(), row) != service_rows.end();
    });
    return tables;
}

std::string document() {
    std::ifstream file("schemas/wire.md");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// From a heading that begins with `title` to the next heading.
std::string section(const std::string& text, const std::string& title) {
    const std::string heading = "\n### " + title + "\n";
    const std::size_t begin = text.find(heading);
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find("\n#", begin + heading.size()) - begin);
}

TEST(WireDocumentTest, HasEveryFieldWithItsKeyTypeAndLimit) {
    const std::string text = document();
    for (const auto& [title, rows] : all_tables()) {
        const std::string part = section(text, title);
        ASSERT_FALSE(part.empty()) << "wire.md has no section ### " << title;
        for (const std::string& row : rows) {
            EXPECT_NE(part.find(row), std::string::npos) << "### " << title << " lacks " << row;
        }
    }
}

TEST(WireDocumentTest, HasNoFieldThatTheCodeLacks) {
    const std::string text = document();
    for (const auto& [title, rows] : all_tables()) {
        const std::string part = section(text, title);
        std::size_t count = 0;
        for (std::size_t at = part.find("\n| "); at != std::string::npos;
             at = part.find("\n| ", at + 1)) {
            ++count;
        }
        EXPECT_EQ(count, rows.size() + 1) << "### " << title << ": rows and one heading";
    }
}

TEST(WireDocumentTest, SaysWhoMaySendWhat) {
    const std::string text = document();
    const auto mark = [](Role role, const Message& message) {
        return may_send(role, message) ? " yes |" : " |";
    };
    for (const Message& message : all_messages()) {
        std::string row = "| " + std::to_string(message.index()) + " | ";
        row += std::string(verb_name(message)) + " |" + mark(Role::client, message) +
               mark(Role::admin, message) + mark(Role::worker, message) +
               mark(Role::broker, message);
        EXPECT_NE(text.find(row), std::string::npos) << row;
    }
}

TEST(WireDocumentTest, QuotesTheLimits) {
    const std::string text = document();
    const std::vector<std::pair<std::string, std::uint64_t>> quoted{
        {"header_bytes", limits::header_bytes},
        {"body_bytes", limits::body_bytes},
        {"frame_bytes", limits::frame_bytes},
        {"direct_frame_bytes", limits::direct_frame_bytes},
        {"frame_count", limits::frame_count},
        {"item_count", limits::item_count},
        {"inline_tensor_bytes", limits::inline_tensor_bytes},
        {"small_call_bytes", limits::small_call_bytes},
        {"chunk_bytes", limits::chunk_bytes},
        {"chunk_window_count", limits::chunk_window_count},
        {"direct_window_bytes", limits::direct_window_bytes},
        {"msgpack_depth", limits::msgpack_depth},
        {"msgpack_element_count", limits::msgpack_element_count},
        {"msgpack_container_count", limits::msgpack_container_count},
        {"string_bytes", limits::string_bytes},
        {"name_bytes", limits::name_bytes},
        {"detail_bytes", limits::detail_bytes},
        {"token_bytes", limits::token_bytes},
        {"url_bytes", limits::url_bytes},
        {"tensor_count", limits::tensor_count},
        {"tensor_rank", limits::tensor_rank},
        {"label_count", limits::label_count},
        {"cost_point_count", limits::cost_point_count},
        {"page_bytes", limits::page_bytes},
        {"page_entry_count", limits::page_entry_count},
        {"services_per_worker_count", limits::services_per_worker_count},
        {"open_calls_per_session_count", limits::open_calls_per_session_count},
        {"packet_bytes", limits::packet_bytes},
        {"packet_return_count", limits::packet_return_count},
        {"region_count", limits::region_count},
        {"shared_memory_bytes", limits::shared_memory_bytes},
        {"call_bytes", limits::call_bytes},
        {"default_result_bytes", limits::default_result_bytes},
        {"attempt_count", limits::attempt_count},
        {"longest_deadline (ms)", longest_ms},
    };
    for (const auto& [name, value] : quoted) {
        const std::string row = "| " + name + " | " + std::to_string(value) + " |";
        EXPECT_NE(text.find(row), std::string::npos) << row;
    }
}

}  // namespace
}  // namespace farm
