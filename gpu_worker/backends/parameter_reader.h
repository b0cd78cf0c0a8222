#pragma once

#include <charconv>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/core/error.h"
#include "gpu_worker/core/model_source.h"

namespace farm {

template <class Value>
struct Choice {
    std::string_view text;
    Value value;
};

/// Reads the parameters of config.pbtxt that begin with a backend's prefix. A parameter that is
/// not there leaves its value as it is; the first that cannot be read is the error.
class ParameterReader {
  public:
    /// `prefix`: "farm.reference." for instance. The source outlives the reader.
    ParameterReader(const ModelSource& source, std::string prefix)
        : source_(source), prefix_(std::move(prefix)) {}

    template <class Number>
    void number(const std::string& key, Number& value) {
        const std::string* text = find(key);
        if (text == nullptr) return;
        const char* end = text->data() + text->size();
        Number parsed{};
        const auto [stop, error] = std::from_chars(text->data(), end, parsed);
        if (error == std::errc() && stop == end) {
            value = parsed;
        } else {
            refuse(key, *text, "a number");
        }
    }

    template <class Value>
    void choice(const std::string& key, std::initializer_list<Choice<Value>> choices,
                Value& value) {
        const std::string* text = find(key);
        if (text == nullptr) return;
        std::string known;
        for (const Choice<Value>& choice : choices) {
            if (choice.text == *text) {
                value = choice.value;
                return;
            }
            known += (known.empty() ? "" : ", ") + std::string(choice.text);
        }
        refuse(key, *text, known);
    }

    void text(const std::string& key, std::string& value) {
        if (const std::string* found = find(key)) value = *found;
    }

    bool has(const std::string& key) { return find(key) != nullptr; }
    const std::optional<Error>& error() const { return error_; }

    void refuse(const std::string& key, const std::string& text, const std::string& known) {
        if (error_) return;
        error_ = Error{ErrorCode::invalid,
                       "parameter '" + prefix_ + key + "' is '" + text + "' (possible: " + known +
                           "): correct config.pbtxt of model '" + source_.model + "'"};
    }

    /// Refuses what begins with the prefix and has not been asked for until now.
    void refuse_others() {
        for (const auto& [key, value] : source_.parameters) {
            if (!key.starts_with(prefix_) || asked_.contains(key)) continue;
            std::string known;
            for (const std::string& name : asked_) known += (known.empty() ? "" : ", ") + name;
            if (error_) return;
            error_ = Error{ErrorCode::invalid,
                           "parameter '" + key + "' is not known (known: " + known +
                               "): correct config.pbtxt of model '" + source_.model + "'"};
        }
    }

  private:
    const std::string* find(const std::string& key) {
        const std::string name = prefix_ + key;
        asked_.insert(name);
        const auto found = source_.parameters.find(name);
        return found == source_.parameters.end() ? nullptr : &found->second;
    }

    const ModelSource& source_;
    std::string prefix_;
    std::set<std::string> asked_;
    std::optional<Error> error_;
};

}  // namespace farm
