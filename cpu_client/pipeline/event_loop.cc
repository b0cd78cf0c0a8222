#include "cpu_client/pipeline/event_loop.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <tbb/flow_graph.h>

namespace farm::detail {

namespace {

namespace flow = tbb::flow;
using Steps = EventSteps<std::shared_ptr<void>>;

struct Item {
    std::shared_ptr<void> event;
    std::uint64_t index{0};
    CallStatus status{CallStatus::ok};
    bool needs_call{true};
    std::atomic<bool> is_called{false};  ///< its EventDone has been told
};
using ItemPointer = std::shared_ptr<Item>;
using CallNode = flow::async_node<ItemPointer, ItemPointer>;

/// Runs a step of the user; an exception must not reach TBB, which would cancel the whole graph
/// and leave open calls without an event.
template <class Step, class Value>
Value guarded(Step&& step, Value when_thrown) noexcept {
    try {
        return step();
    } catch (...) {
        return when_thrown;
    }
}

/// The nodes, and what they count:
///   read -> limiter -> prepare -> call -> finish -> [sequencer] -> output -> limiter
class EventGraph {
  public:
    EventGraph(const Steps& steps, const EventLoopOptions& options)
        : steps_(steps),
          options_(options),
          read_(graph_, [this](tbb::flow_control& control) { return read(control); }),
          limiter_(graph_, std::max<std::size_t>(1, options.in_flight_count)),
          prepare_(graph_, flow::unlimited, [this](ItemPointer item) { return prepare(item); }),
          call_(graph_, flow::unlimited,
                [this](ItemPointer item, CallNode::gateway_type& gateway) { call(item, gateway); }),
          finish_(graph_, flow::unlimited, [this](ItemPointer item) { return finish(item); }),
          sequencer_(graph_, [](const ItemPointer& item) { return item->index; }),
          output_(graph_, flow::serial, [this](ItemPointer item) { return output(item); }) {
        flow::make_edge(read_, limiter_);
        flow::make_edge(limiter_, prepare_);
        flow::make_edge(prepare_, call_);
        flow::make_edge(call_, finish_);
        if (options.order == EventLoopOptions::Order::as_read) {
            flow::make_edge(finish_, sequencer_);
            flow::make_edge(sequencer_, output_);
        } else {
            flow::make_edge(finish_, output_);
        }
        flow::make_edge(output_, limiter_.decrementer());
    }

    EventLoopProgress run() {
        read_.activate();
        graph_.wait_for_all();
        return snapshot();
    }

  private:
    ItemPointer read(tbb::flow_control& control) {
        auto item = std::make_shared<Item>();
        if (options_.stop.stop_requested() || has_failed_ ||
            !guarded([&] { return steps_.read(item->event); }, false)) {
            control.stop();
            return nullptr;
        }
        item->index = read_count_++;
        return item;
    }

    ItemPointer prepare(const ItemPointer& item) {
        note_in_flight(++in_flight_);
        const auto ended = guarded([&] { return steps_.prepare(item->event); },
                                   std::optional(CallStatus::internal));
        item->needs_call = !ended;
        item->status = ended.value_or(CallStatus::ok);
        return item;
    }

    void call(const ItemPointer& item, CallNode::gateway_type& gateway) {
        if (!item->needs_call) {
            gateway.try_put(item);
            return;
        }
        gateway.reserve_wait();
        const EventDone done = [item, &gateway](CallStatus status) {
            if (item->is_called.exchange(true)) return;
            item->status = status;
            gateway.try_put(item);
            gateway.release_wait();
        };
        const bool is_started = guarded(
            [&] {
                steps_.call(item->event, done);
                return true;
            },
            false);
        if (!is_started) done(CallStatus::internal);
    }

    ItemPointer finish(const ItemPointer& item) {
        if (item->needs_call && item->status == CallStatus::ok) {
            item->status =
                guarded([&] { return steps_.finish(item->event); }, CallStatus::internal);
        }
        return item;
    }

    flow::continue_msg output(const ItemPointer& item) {
        const bool is_put_out = guarded(
            [&] {
                steps_.output(item->event, item->status);
                return true;
            },
            false);
        if (!is_put_out) item->status = CallStatus::internal;
        count(item->status);
        if (options_.progress) {
            guarded([&] { return options_.progress(snapshot()), true; }, false);
        }
        return {};
    }

    void count(CallStatus status) {
        --in_flight_;
        ++progress_.done_count;
        ++progress_.by_status.at(static_cast<std::size_t>(status));
        if (status != CallStatus::ok &&
            options_.on_failure == EventLoopOptions::OnFailure::stop_reading) {
            has_failed_ = true;
        }
    }

    void note_in_flight(std::uint32_t now) {
        auto most = most_in_flight_.load();
        while (now > most && !most_in_flight_.compare_exchange_weak(most, now)) {
        }
    }

    EventLoopProgress snapshot() const {
        EventLoopProgress progress = progress_;
        progress.read_count = read_count_;
        progress.most_in_flight_count = most_in_flight_;
        return progress;
    }

    const Steps& steps_;
    const EventLoopOptions& options_;
    std::atomic<std::uint64_t> read_count_{0};
    std::atomic<std::uint32_t> in_flight_{0};
    std::atomic<std::uint32_t> most_in_flight_{0};
    std::atomic<bool> has_failed_{false};
    EventLoopProgress progress_;  ///< touched by the serial output node only

    flow::graph graph_;
    flow::input_node<ItemPointer> read_;
    flow::limiter_node<ItemPointer> limiter_;
    flow::function_node<ItemPointer, ItemPointer> prepare_;
    CallNode call_;
    flow::function_node<ItemPointer, ItemPointer> finish_;
    flow::sequencer_node<ItemPointer> sequencer_;
    flow::function_node<ItemPointer> output_;
};

}  // namespace

EventLoopProgress run_erased(const Steps& steps, const EventLoopOptions& options) {
    return EventGraph(steps, options).run();
}

}  // namespace farm::detail
