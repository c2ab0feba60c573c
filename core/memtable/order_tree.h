// OrderTree keeps references to records in key order: a B+-tree of (prefix, reference).
//
// One thread adds at a time (the caller sees to that); readers take no lock. A reader
// copies a leaf, or reads a child pointer, between two looks at the node's version, and
// tries again when it changed. Nodes are never removed and entries only move to new
// right siblings, so wherever a reader came from, walking to the right finds its key.
//
// Every field that a reader may see torn is atomic: stores release, loads acquire, so
// no fences are needed and the records behind references are always complete.
//
// Thread safety: see above. Leaf is a copy and belongs to its reader.

#ifndef SKARN_CORE_MEMTABLE_ORDER_TREE_H_
#define SKARN_CORE_MEMTABLE_ORDER_TREE_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/base/arena.h"
#include "core/memtable/record_order.h"
#include "core/memtable/record_sorter.h"

namespace skarn {

class OrderTree {
 public:
  static constexpr uint32_t kLeafEntries = 64;

  explicit OrderTree(const RecordOrder& order) : order_(order) {}
  OrderTree(const OrderTree&) = delete;
  OrderTree& operator=(const OrderTree&) = delete;

  // Adds sorted entries to an empty tree that no reader knows yet.
  bool Build(const SortEntries& sorted);
  enum class Outcome : uint8_t { kAdded, kDuplicate, kNoMemory };
  // Cheapest when keys come in order: the place of the last one is remembered.
  Outcome Insert(uint64_t prefix, Slice user_key, uint64_t tag, RecordRef ref);

  const RecordOrder& order() const { return order_; }
  size_t memory_bytes() const { return arena_.reserved_bytes(); }
  uint64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct LeafNode;

 public:
  // A reader's copy of a leaf.
  class Leaf {
   public:
    uint32_t count() const { return count_; }
    RecordRef ref(uint32_t index) const { return refs_[index]; }
    bool last() const { return next_ == nullptr; }

   private:
    friend class OrderTree;
    uint32_t count_ = 0;
    const LeafNode* next_ = nullptr;
    RecordRef refs_[kLeafEntries];
    uint64_t prefixes_[kLeafEntries];
  };

  // Each sets *leaf and returns the index in it, or -1 when there is no such entry.
  // The first entry at or after (user_key, tag).
  int Seek(Slice user_key, uint64_t tag, Leaf* leaf) const;
  // The last entry before (user_key, tag), or at it when `or_equal`.
  int SeekBefore(Slice user_key, uint64_t tag, bool or_equal, Leaf* leaf) const;
  int SeekToFirst(Leaf* leaf) const;
  int SeekToLast(Leaf* leaf) const;
  // Moves on to the leaf after `leaf`; -1 when there is none.
  int NextLeaf(Leaf* leaf) const;
  // How many entries lie in [start, limit), both user keys with the largest tag.
  uint64_t CountBetween(Slice start, Slice limit) const;

 private:
  static constexpr uint32_t kInnerChildren = 64;

  struct Node {
    // Odd while the node changes. Written by the adding thread.
    std::atomic<uint32_t> version{0};
    std::atomic<uint32_t> count{0};  // Entries, or children.
    const bool leaf;

    explicit Node(bool is_leaf) : leaf(is_leaf) {}
  };
  struct LeafNode : Node {
    LeafNode() : Node(true) {}
    std::atomic<LeafNode*> next{nullptr};
    std::atomic<uint64_t> prefixes[kLeafEntries];
    std::atomic<RecordRef> refs[kLeafEntries];
  };
  struct InnerNode : Node {
    InnerNode() : Node(false) {}
    // Of the first entry under each child. That of child 0 is not looked at.
    std::atomic<uint64_t> prefixes[kInnerChildren];
    std::atomic<RecordRef> refs[kInnerChildren];
    std::atomic<Node*> children[kInnerChildren];
  };

  // Marks a node as changing for as long as it lives.
  class Change {
   public:
    explicit Change(Node* node)
        : node_(node), version_(node->version.load(std::memory_order_relaxed)) {
      node->version.store(version_ + 1, std::memory_order_relaxed);
    }
    ~Change() { node_->version.store(version_ + 2, std::memory_order_release); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    Node* const node_;
    const uint32_t version_;
  };

  template <typename T>
  T* NewNode();
  // The leaf to look in for (user_key, tag): its first entry is not after that, or it is the
  // first leaf. Strictly before, when `before`. Null in an empty tree.
  const LeafNode* Descend(uint64_t prefix, Slice user_key, uint64_t tag, bool before) const;
  static uint32_t WaitStable(const Node* node);
  static void CopyLeaf(const LeafNode* node, Leaf* leaf);
  // The first index whose entry is at or after (after, when `after`) the key.
  uint32_t Search(const Leaf& leaf, uint64_t prefix, Slice user_key, uint64_t tag,
                  bool after) const;
  template <typename N>
  uint32_t SearchNode(const N* node, uint32_t begin, uint32_t count, uint64_t prefix,
                      Slice user_key, uint64_t tag, bool after) const;

  // For the adding thread.
  LeafNode* FindLeaf(uint64_t prefix, Slice user_key, uint64_t tag);
  bool SplitLeaf(LeafNode* leaf, bool at_end);
  // Adds `child`, whose first entry is given, after the path that leads to it.
  bool AddToParents(size_t level, uint64_t prefix, RecordRef ref, Node* child);

  const RecordOrder order_;
  Arena arena_;
  std::atomic<Node*> root_{nullptr};       // Written by the adding thread.
  std::atomic<LeafNode*> first_{nullptr};  // Set once.
  std::atomic<uint64_t> size_{0};          // Written by the adding thread.
  // Of the adding thread: the leaf of the last insertion, and the inner nodes above the
  // leaf last descended to, from the root down.
  LeafNode* finger_ = nullptr;
  std::vector<InnerNode*> path_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_ORDER_TREE_H_
