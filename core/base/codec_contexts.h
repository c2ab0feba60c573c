// What codec.cc shares with thread_context.cc; nothing for other rooms.

#ifndef SKARN_CORE_BASE_CODEC_CONTEXTS_H_
#define SKARN_CORE_BASE_CODEC_CONTEXTS_H_

namespace skarn {

class CodecContexts;

// Frees what a thread's compression contexts hold; nullptr is fine.
void DestroyCodecContexts(CodecContexts* contexts);

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CODEC_CONTEXTS_H_
