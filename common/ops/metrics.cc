#include "common/ops/metrics.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

namespace farm {
namespace {

prometheus::MetricType type_of(Metric::Kind kind) {
    return kind == Metric::Kind::counter ? prometheus::MetricType::Counter
                                         : prometheus::MetricType::Gauge;
}

prometheus::ClientMetric sample_of(const Metric& metric) {
    prometheus::ClientMetric sample;
    for (const auto& [name, value] : metric.labels) sample.label.push_back({name, value});
    sample.counter.value = metric.value;
    sample.gauge.value = metric.value;
    return sample;
}

std::vector<prometheus::MetricFamily> families_of(const MetricSnapshot& snapshot) {
    std::vector<prometheus::MetricFamily> families;
    for (const Metric& metric : snapshot) {
        auto family = std::find_if(families.begin(), families.end(),
                                   [&](const auto& known) { return known.name == metric.name; });
        if (family == families.end()) {
            families.push_back({metric.name, metric.help, type_of(metric.kind), {}});
            family = std::prev(families.end());
        }
        family->metric.push_back(sample_of(metric));
    }
    return families;
}

class Callback : public prometheus::Collectable {
  public:
    explicit Callback(std::function<MetricSnapshot()> fill) : fill_(std::move(fill)) {}
    std::vector<prometheus::MetricFamily> Collect() const override { return families_of(fill_()); }

  private:
    std::function<MetricSnapshot()> fill_;
};

std::optional<std::string> bind_address(const std::string& address) {
    const auto colon = address.rfind(':');
    const std::string host = colon == std::string::npos ? "127.0.0.1" : address.substr(0, colon);
    const std::string port = colon == std::string::npos ? address : address.substr(colon + 1);
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc{} || end != port.data() + port.size() || host.empty())
        return std::nullopt;
    return host == "*" ? port : host + ':' + port;
}

}  // namespace

void SharedSnapshot::publish(MetricSnapshot snapshot) {
    std::lock_guard lock(mutex_);
    snapshot_.swap(snapshot);
}

MetricSnapshot SharedSnapshot::read() const {
    std::lock_guard lock(mutex_);
    return snapshot_;
}

struct MetricsServer::Impl {
    std::shared_ptr<Callback> callback;
    prometheus::Exposer exposer;  // after what it refers to: its threads end first
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& address,
                                                            std::function<MetricSnapshot()> fill) {
    const auto where = bind_address(address);
    if (!where) {
        return fail(ErrorCode::invalid,
                    "metrics address '" + address +
                        "' is not host:port: write for instance 127.0.0.1:9090");
    }
    try {
        auto callback = std::make_shared<Callback>(std::move(fill));
        std::unique_ptr<Impl> impl(new Impl{callback, prometheus::Exposer(*where, 1)});
        impl->exposer.RegisterCollectable(callback);
        return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(impl)));
    } catch (const std::exception& error) {
        return fail(ErrorCode::io, "cannot serve metrics on " + address + " (" + error.what() +
                                       "): is the port in use, or not an address of this machine?");
    }
}

std::uint16_t MetricsServer::port() const {
    const std::vector<int> ports = impl_->exposer.GetListeningPorts();
    return ports.empty() ? 0 : static_cast<std::uint16_t>(ports.front());
}

}  // namespace farm
