#include "cpu_client/events/components.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace farm {

namespace {

/// Disjoint sets whose root is their smallest member, so the result needs no second numbering pass
/// and does not depend on the order of the edges.
class DisjointSets {
  public:
    explicit DisjointSets(std::size_t count) : parent_(count) {
        std::iota(parent_.begin(), parent_.end(), 0U);
    }

    std::uint32_t root(std::uint32_t i) {
        while (parent_[i] != i) {
            parent_[i] = parent_[parent_[i]];
            i = parent_[i];
        }
        return i;
    }

    void join(std::uint32_t a, std::uint32_t b) {
        a = root(a);
        b = root(b);
        if (a == b) return;
        parent_[std::max(a, b)] = std::min(a, b);
    }

  private:
    std::vector<std::uint32_t> parent_;
};

/// A parent is never larger than its child, so each root is labelled before its members.
void label_roots(DisjointSets& sets, Components& components) {
    for (std::uint32_t i = 0; i < components.label.size(); ++i) {
        const std::uint32_t root = sets.root(i);
        components.label[i] = root == i ? components.count++ : components.label[root];
    }
}

}  // namespace

Result<Components> connected_components(std::size_t point_count, const EdgeList& edges,
                                        std::span<const float> logits, double cut) {
    if (logits.size() != edges.size()) {
        return fail(ErrorCode::invalid, "model gave " + std::to_string(logits.size()) +
                                            " edge scores (" + std::to_string(edges.size()) +
                                            " edges were sent): serve a model that gives one "
                                            "score for each edge");
    }
    if (!(cut > 0 && cut < 1)) {
        return fail(ErrorCode::invalid, "score cut is " + std::to_string(cut) +
                                            " (it lies between 0 and 1): give for instance 0.5");
    }
    const double logit_cut = std::log(cut / (1 - cut));
    DisjointSets sets(point_count);
    Components components{std::vector<std::uint32_t>(point_count), 0, 0};
    for (std::size_t k = 0; k < edges.size(); ++k) {
        if (!(logits[k] > logit_cut)) continue;
        ++components.kept_edge_count;
        sets.join(static_cast<std::uint32_t>(edges.larger[k]),
                  static_cast<std::uint32_t>(edges.smaller[k]));
    }
    label_roots(sets, components);
    return components;
}

}  // namespace farm
