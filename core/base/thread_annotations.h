// Lock rules that clang checks (-Wthread-safety); nothing under other compilers.

#ifndef SKARN_CORE_BASE_THREAD_ANNOTATIONS_H_
#define SKARN_CORE_BASE_THREAD_ANNOTATIONS_H_

#if defined(__clang__)
#define SKARN_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define SKARN_THREAD_ATTRIBUTE(x)
#endif

#define SKARN_CAPABILITY(name) SKARN_THREAD_ATTRIBUTE(capability(name))
#define SKARN_SCOPED_CAPABILITY SKARN_THREAD_ATTRIBUTE(scoped_lockable)
#define SKARN_GUARDED_BY(mutex) SKARN_THREAD_ATTRIBUTE(guarded_by(mutex))
#define SKARN_PT_GUARDED_BY(mutex) SKARN_THREAD_ATTRIBUTE(pt_guarded_by(mutex))
#define SKARN_REQUIRES(...) SKARN_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SKARN_EXCLUDES(...) SKARN_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define SKARN_ACQUIRE(...) SKARN_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define SKARN_RELEASE(...) SKARN_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SKARN_TRY_ACQUIRE(...) SKARN_THREAD_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define SKARN_ASSERT_CAPABILITY(x) SKARN_THREAD_ATTRIBUTE(assert_capability(x))
#define SKARN_RETURN_CAPABILITY(x) SKARN_THREAD_ATTRIBUTE(lock_returned(x))
// With a comment that says why the analysis cannot follow.
#define SKARN_NO_THREAD_SAFETY_ANALYSIS SKARN_THREAD_ATTRIBUTE(no_thread_safety_analysis)

#endif  // SKARN_CORE_BASE_THREAD_ANNOTATIONS_H_
