#include "cpu_client/core/question_queue.h"

#include <algorithm>
#include <utility>

namespace farm {
namespace {

/// STATUS and DRAIN are both answered by a REPORT.
bool answers(const Message& answer, const Message& question) {
    if (std::holds_alternative<Catalog>(answer)) return std::holds_alternative<List>(question);
    if (std::holds_alternative<Lease>(answer)) return std::holds_alternative<Resolve>(question);
    if (!std::holds_alternative<StatusReport>(answer)) return false;
    return std::holds_alternative<Status>(question) || std::holds_alternative<Drain>(question);
}

}  // namespace

bool QuestionQueue::add(Ask ask, TimePoint now) {
    if (questions_.size() >= largest_count) return false;
    questions_.push_back({std::move(ask), now});
    return true;
}

std::vector<Message> QuestionQueue::take_unsent() {
    std::vector<Message> messages;
    for (Question& question : questions_) {
        if (question.sent) continue;
        question.sent = true;
        messages.push_back(question.ask.question);
    }
    return messages;
}

std::optional<QuestionQueue::Question> QuestionQueue::match(const Message& answer) {
    const auto found = std::find_if(questions_.begin(), questions_.end(), [&](const Question& q) {
        return q.sent && answers(answer, q.ask.question);
    });
    if (found == questions_.end()) return std::nullopt;
    Question question = std::move(*found);
    questions_.erase(found);
    return question;
}

std::optional<QuestionQueue::Question> QuestionQueue::match_refused() {
    const auto sent_drain = [](const Question& q) {
        return q.sent && std::holds_alternative<Drain>(q.ask.question);
    };
    const auto sent = [](const Question& q) { return q.sent; };
    auto found = std::find_if(questions_.begin(), questions_.end(), sent_drain);
    if (found == questions_.end()) found = std::find_if(questions_.begin(), questions_.end(), sent);
    if (found == questions_.end()) return std::nullopt;
    Question question = std::move(*found);
    questions_.erase(found);
    return question;
}

void QuestionQueue::session_ended() {
    for (Question& question : questions_) question.sent = false;
    forget_unsent_over();
}

std::vector<Ask> QuestionQueue::expire(TimePoint now) {
    return finish_where([now](const Question& q) { return q.ask.deadline <= now; });
}

std::vector<Ask> QuestionQueue::give_up(TimePoint asked) {
    return finish_where([asked](const Question& q) { return q.asked <= asked; });
}

template <class Condition>
std::vector<Ask> QuestionQueue::finish_where(Condition condition) {
    std::vector<Ask> finished;
    for (Question& question : questions_) {
        if (question.over || !condition(question)) continue;
        question.over = true;
        finished.push_back(question.ask);
    }
    if (!finished.empty()) forget_unsent_over();
    return finished;
}

void QuestionQueue::forget_unsent_over() {
    std::erase_if(questions_, [](const Question& q) { return q.over && !q.sent; });
}

std::optional<TimePoint> QuestionQueue::next_deadline() const {
    std::optional<TimePoint> next;
    for (const Question& question : questions_) {
        if (!question.over) next = earliest(next, question.ask.deadline);
    }
    return next;
}

std::optional<TimePoint> QuestionQueue::oldest() const {
    for (const Question& question : questions_) {
        if (!question.over) return question.asked;
    }
    return std::nullopt;
}

}  // namespace farm
