#pragma once

#include <cstddef>
#include <memory>
#include <unordered_set>

#include "schemas/service.h"

namespace farm {

/// What workers say of their services, each different text once: a thousand workers with one model
/// repository cost the memory of one.
///
/// What differs from worker to worker (index, cost, direct_url) is left out of the shared part and
/// kept by WorkerService. Owned by one BrokerMachine; as large as what is offered now.
class SharedAds {
  public:
    using Shared = std::shared_ptr<const ServiceAd>;

    Shared share(ServiceAd ad);
    /// Gives one back; the last one takes the text with it.
    void release(Shared ad);
    std::size_t size() const { return ads_.size(); }

  private:
    struct Hash {
        std::size_t operator()(const Shared& ad) const;
    };
    struct Equal {
        bool operator()(const Shared& a, const Shared& b) const { return *a == *b; }
    };
    std::unordered_set<Shared, Hash, Equal> ads_;
};

}  // namespace farm
