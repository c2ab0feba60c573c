#include "core/memtable/order_tree.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/memtable/spin_wait.h"

namespace skarn {
namespace {

// Leaves are built with room for what comes between.
constexpr uint32_t kBuildFill = 48;

}  // namespace

template <typename T>
T* OrderTree::NewNode() {
  char* memory = arena_.AllocateAligned(sizeof(T), 64);
  return memory == nullptr ? nullptr : new (memory) T;
}

bool OrderTree::Build(const SortEntries& sorted) {
  if (sorted.empty()) return true;
  struct Entry {
    uint64_t prefix;
    RecordRef ref;
    Node* node;
  };
  std::vector<Entry> level;
  LeafNode* previous = nullptr;
  LeafNode* first = nullptr;
  for (size_t begin = 0; begin < sorted.size(); begin += kBuildFill) {
    auto* leaf = NewNode<LeafNode>();
    if (leaf == nullptr) return false;
    const size_t count = std::min<size_t>(kBuildFill, sorted.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      leaf->prefixes[i].store(sorted[begin + i].prefix, std::memory_order_relaxed);
      leaf->refs[i].store(sorted[begin + i].ref, std::memory_order_relaxed);
    }
    leaf->count.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
    if (previous == nullptr) {
      first = leaf;
    } else {
      previous->next.store(leaf, std::memory_order_relaxed);
    }
    previous = leaf;
    level.push_back({sorted[begin].prefix, sorted[begin].ref, leaf});
  }
  while (level.size() > 1) {
    std::vector<Entry> above;
    for (size_t begin = 0; begin < level.size(); begin += kBuildFill) {
      auto* inner = NewNode<InnerNode>();
      if (inner == nullptr) return false;
      const size_t count = std::min<size_t>(kBuildFill, level.size() - begin);
      for (size_t i = 0; i < count; ++i) {
        inner->prefixes[i].store(level[begin + i].prefix, std::memory_order_relaxed);
        inner->refs[i].store(level[begin + i].ref, std::memory_order_relaxed);
        inner->children[i].store(level[begin + i].node, std::memory_order_relaxed);
      }
      inner->count.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
      above.push_back({level[begin].prefix, level[begin].ref, inner});
    }
    level = std::move(above);
  }
  size_.store(sorted.size(), std::memory_order_relaxed);
  first_.store(first, std::memory_order_release);
  root_.store(level.front().node, std::memory_order_release);
  return true;
}

template <typename N>
uint32_t OrderTree::SearchNode(const N* node, uint32_t begin, uint32_t count, uint64_t prefix,
                               Slice user_key, uint64_t tag, bool after) const {
  uint32_t end = count;
  while (begin < end) {
    const uint32_t middle = (begin + end) / 2;
    const uint64_t its_prefix = node->prefixes[middle].load(std::memory_order_acquire);
    bool right;
    if (prefix != its_prefix) {
      right = prefix > its_prefix;
    } else {
      const RecordRef ref = node->refs[middle].load(std::memory_order_acquire);
      if (ref == 0) return begin;  // Torn; the caller will see that the version changed.
      const int order = order_.Compare(prefix, user_key, tag, its_prefix, ref);
      right = after ? order >= 0 : order > 0;
    }
    if (right) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

uint32_t OrderTree::Search(const Leaf& leaf, uint64_t prefix, Slice user_key, uint64_t tag,
                           bool after) const {
  uint32_t begin = 0;
  uint32_t end = leaf.count_;
  while (begin < end) {
    const uint32_t middle = (begin + end) / 2;
    const int order =
        order_.Compare(prefix, user_key, tag, leaf.prefixes_[middle], leaf.refs_[middle]);
    if (after ? order >= 0 : order > 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

uint32_t OrderTree::WaitStable(const Node* node) {
  SpinWait spin;
  for (;;) {
    const uint32_t version = node->version.load(std::memory_order_acquire);
    if ((version & 1) == 0) return version;
    spin.Pause();
  }
}

void OrderTree::CopyLeaf(const LeafNode* node, Leaf* leaf) {
  for (;;) {
    const uint32_t version = WaitStable(node);
    const uint32_t count = node->count.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < count; ++i) {
      leaf->refs_[i] = node->refs[i].load(std::memory_order_acquire);
      leaf->prefixes_[i] = node->prefixes[i].load(std::memory_order_acquire);
    }
    leaf->next_ = node->next.load(std::memory_order_acquire);
    leaf->count_ = count;
    if (node->version.load(std::memory_order_relaxed) == version) return;
  }
}

const OrderTree::LeafNode* OrderTree::Descend(uint64_t prefix, Slice user_key, uint64_t tag,
                                              bool before) const {
  const Node* node = root_.load(std::memory_order_acquire);
  if (node == nullptr) return nullptr;
  while (!node->leaf) {
    const auto* inner = static_cast<const InnerNode*>(node);
    for (;;) {
      const uint32_t version = WaitStable(inner);
      const uint32_t count = inner->count.load(std::memory_order_acquire);
      const uint32_t child =
          SearchNode(inner, 1, count, prefix, user_key, tag, /*after=*/!before) - 1;
      const Node* below = inner->children[child].load(std::memory_order_acquire);
      if (inner->version.load(std::memory_order_relaxed) == version) {
        node = below;
        break;
      }
    }
  }
  return static_cast<const LeafNode*>(node);
}

int OrderTree::NextLeaf(Leaf* leaf) const {
  if (leaf->next_ == nullptr) return -1;
  CopyLeaf(leaf->next_, leaf);
  return 0;
}

int OrderTree::SeekToFirst(Leaf* leaf) const {
  const LeafNode* first = first_.load(std::memory_order_acquire);
  if (first == nullptr) return -1;
  CopyLeaf(first, leaf);
  return leaf->count_ == 0 ? -1 : 0;
}

int OrderTree::SeekToLast(Leaf* leaf) const {
  const Node* node = root_.load(std::memory_order_acquire);
  if (node == nullptr) return -1;
  while (!node->leaf) {
    const auto* inner = static_cast<const InnerNode*>(node);
    for (;;) {
      const uint32_t version = WaitStable(inner);
      const uint32_t count = inner->count.load(std::memory_order_acquire);
      const Node* below = inner->children[count - 1].load(std::memory_order_acquire);
      if (inner->version.load(std::memory_order_relaxed) == version) {
        node = below;
        break;
      }
    }
  }
  CopyLeaf(static_cast<const LeafNode*>(node), leaf);
  while (leaf->next_ != nullptr) CopyLeaf(leaf->next_, leaf);
  return static_cast<int>(leaf->count_) - 1;
}

int OrderTree::Seek(Slice user_key, uint64_t tag, Leaf* leaf) const {
  const uint64_t prefix = order_.PrefixOf(user_key);
  const LeafNode* node = Descend(prefix, user_key, tag, /*before=*/false);
  if (node == nullptr) return -1;
  CopyLeaf(node, leaf);
  for (;;) {
    const uint32_t index = Search(*leaf, prefix, user_key, tag, /*after=*/false);
    if (index < leaf->count_) return static_cast<int>(index);
    if (leaf->next_ == nullptr) return -1;
    CopyLeaf(leaf->next_, leaf);
  }
}

int OrderTree::SeekBefore(Slice user_key, uint64_t tag, bool or_equal, Leaf* leaf) const {
  const uint64_t prefix = order_.PrefixOf(user_key);
  const LeafNode* node = Descend(prefix, user_key, tag, /*before=*/!or_equal);
  if (node == nullptr) return -1;
  CopyLeaf(node, leaf);
  for (;;) {
    const uint32_t index = Search(*leaf, prefix, user_key, tag, /*after=*/or_equal);
    if (index < leaf->count_ || leaf->next_ == nullptr) return static_cast<int>(index) - 1;
    // All of this leaf is before the key; it may have split since we came down.
    const LeafNode* next = leaf->next_;
    const RecordRef first_ref = next->refs[0].load(std::memory_order_acquire);
    const int order = order_.Compare(prefix, user_key, tag,
                                     next->prefixes[0].load(std::memory_order_acquire), first_ref);
    if (or_equal ? order < 0 : order <= 0) return static_cast<int>(index) - 1;
    CopyLeaf(next, leaf);
  }
}

uint64_t OrderTree::CountBetween(Slice start, Slice limit) const {
  Leaf leaf;
  int index = Seek(start, kMaxTag, &leaf);
  if (index < 0) return 0;
  const uint64_t limit_prefix = order_.PrefixOf(limit);
  uint64_t entries = 0;
  for (;;) {
    const uint32_t end = Search(leaf, limit_prefix, limit, kMaxTag, /*after=*/false);
    if (end > static_cast<uint32_t>(index)) entries += end - static_cast<uint32_t>(index);
    if (end < leaf.count_) return entries;
    index = NextLeaf(&leaf);
    if (index < 0) return entries;
  }
}

OrderTree::LeafNode* OrderTree::FindLeaf(uint64_t prefix, Slice user_key, uint64_t tag) {
  path_.clear();
  Node* node = root_.load(std::memory_order_relaxed);
  while (!node->leaf) {
    auto* inner = static_cast<InnerNode*>(node);
    path_.push_back(inner);
    const uint32_t count = inner->count.load(std::memory_order_relaxed);
    const uint32_t child = SearchNode(inner, 1, count, prefix, user_key, tag, /*after=*/true) - 1;
    node = inner->children[child].load(std::memory_order_relaxed);
  }
  return static_cast<LeafNode*>(node);
}

OrderTree::Outcome OrderTree::Insert(uint64_t prefix, Slice user_key, uint64_t tag, RecordRef ref) {
  if (root_.load(std::memory_order_relaxed) == nullptr) {
    return Build({{prefix, ref}}) ? Outcome::kAdded : Outcome::kNoMemory;
  }
  // Whether the key belongs into the leaf of the last one: not before its first entry, and
  // before the first of the next leaf.
  LeafNode* leaf = finger_;
  if (leaf != nullptr) {
    const auto at_or_after_first_of = [&](const LeafNode* node) {
      return order_.Compare(prefix, user_key, tag,
                            node->prefixes[0].load(std::memory_order_relaxed),
                            node->refs[0].load(std::memory_order_relaxed)) >= 0;
    };
    const LeafNode* next = leaf->next.load(std::memory_order_relaxed);
    if (!at_or_after_first_of(leaf) || (next != nullptr && at_or_after_first_of(next))) {
      leaf = nullptr;
    }
  }
  if (leaf == nullptr) leaf = FindLeaf(prefix, user_key, tag);

  uint32_t count = leaf->count.load(std::memory_order_relaxed);
  uint32_t index = SearchNode(leaf, 0, count, prefix, user_key, tag, /*after=*/false);
  if (index < count &&
      order_.Compare(prefix, user_key, tag, leaf->prefixes[index].load(std::memory_order_relaxed),
                     leaf->refs[index].load(std::memory_order_relaxed)) == 0) {
    return Outcome::kDuplicate;
  }
  if (count == kLeafEntries) {
    FindLeaf(prefix, user_key, tag);  // For the path.
    const bool at_end = index == count && leaf->next.load(std::memory_order_relaxed) == nullptr;
    if (!SplitLeaf(leaf, at_end)) return Outcome::kNoMemory;
    count = leaf->count.load(std::memory_order_relaxed);
    if (index > count) {
      // At `count` itself it stays left: no leaf but the first ever gets a new first entry.
      leaf = leaf->next.load(std::memory_order_relaxed);
      index -= count;
      count = leaf->count.load(std::memory_order_relaxed);
    }
  }
  {
    Change change(leaf);
    for (uint32_t i = count; i > index; --i) {
      leaf->prefixes[i].store(leaf->prefixes[i - 1].load(std::memory_order_relaxed),
                              std::memory_order_release);
      leaf->refs[i].store(leaf->refs[i - 1].load(std::memory_order_relaxed),
                          std::memory_order_release);
    }
    leaf->prefixes[index].store(prefix, std::memory_order_release);
    leaf->refs[index].store(ref, std::memory_order_release);
    leaf->count.store(count + 1, std::memory_order_release);
  }
  finger_ = leaf;
  size_.store(size_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return Outcome::kAdded;
}

bool OrderTree::SplitLeaf(LeafNode* leaf, bool at_end) {
  auto* right = NewNode<LeafNode>();
  if (right == nullptr) return false;
  const uint32_t count = leaf->count.load(std::memory_order_relaxed);
  // Ascending keys fill their leaves; others leave half of both free.
  const uint32_t keep = at_end ? count - 1 : count / 2;
  for (uint32_t i = keep; i < count; ++i) {
    right->prefixes[i - keep].store(leaf->prefixes[i].load(std::memory_order_relaxed),
                                    std::memory_order_release);
    right->refs[i - keep].store(leaf->refs[i].load(std::memory_order_relaxed),
                                std::memory_order_release);
  }
  right->count.store(count - keep, std::memory_order_release);
  right->next.store(leaf->next.load(std::memory_order_relaxed), std::memory_order_release);
  if (!AddToParents(path_.size(), right->prefixes[0].load(std::memory_order_relaxed),
                    right->refs[0].load(std::memory_order_relaxed), right)) {
    return false;
  }
  Change change(leaf);
  leaf->next.store(right, std::memory_order_release);
  leaf->count.store(keep, std::memory_order_release);
  return true;
}

bool OrderTree::AddToParents(size_t level, uint64_t prefix, RecordRef ref, Node* child) {
  if (level == 0) {
    auto* root = NewNode<InnerNode>();
    if (root == nullptr) return false;
    Node* old = root_.load(std::memory_order_relaxed);
    root->children[0].store(old, std::memory_order_release);
    root->children[1].store(child, std::memory_order_release);
    root->prefixes[1].store(prefix, std::memory_order_release);
    root->refs[1].store(ref, std::memory_order_release);
    root->count.store(2, std::memory_order_release);
    root_.store(root, std::memory_order_release);
    return true;
  }
  InnerNode* node = path_[level - 1];
  uint32_t count = node->count.load(std::memory_order_relaxed);
  const RecordKey key = ReadRecordKey(order_.store().At(ref));
  if (count == kInnerChildren) {
    auto* right = NewNode<InnerNode>();
    if (right == nullptr) return false;
    const uint32_t keep =
        SearchNode(node, 1, count, prefix, key.user_key, key.tag, /*after=*/false) == count
            ? count - 1
            : count / 2;
    for (uint32_t i = keep; i < count; ++i) {
      right->prefixes[i - keep].store(node->prefixes[i].load(std::memory_order_relaxed),
                                      std::memory_order_release);
      right->refs[i - keep].store(node->refs[i].load(std::memory_order_relaxed),
                                  std::memory_order_release);
      right->children[i - keep].store(node->children[i].load(std::memory_order_relaxed),
                                      std::memory_order_release);
    }
    right->count.store(count - keep, std::memory_order_release);
    const uint64_t right_prefix = right->prefixes[0].load(std::memory_order_relaxed);
    const RecordRef right_ref = right->refs[0].load(std::memory_order_relaxed);
    if (!AddToParents(level - 1, right_prefix, right_ref, right)) return false;
    {
      Change change(node);
      node->count.store(keep, std::memory_order_release);
    }
    if (order_.Compare(prefix, key.user_key, key.tag, right_prefix, right_ref) > 0) node = right;
    count = node->count.load(std::memory_order_relaxed);
  }
  const uint32_t index = SearchNode(node, 1, count, prefix, key.user_key, key.tag, /*after=*/false);
  Change change(node);
  for (uint32_t i = count; i > index; --i) {
    node->prefixes[i].store(node->prefixes[i - 1].load(std::memory_order_relaxed),
                            std::memory_order_release);
    node->refs[i].store(node->refs[i - 1].load(std::memory_order_relaxed),
                        std::memory_order_release);
    node->children[i].store(node->children[i - 1].load(std::memory_order_relaxed),
                            std::memory_order_release);
  }
  node->prefixes[index].store(prefix, std::memory_order_release);
  node->refs[index].store(ref, std::memory_order_release);
  node->children[index].store(child, std::memory_order_release);
  node->count.store(count + 1, std::memory_order_release);
  return true;
}

}  // namespace skarn
