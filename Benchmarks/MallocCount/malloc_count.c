/* Counts the allocations of a process, for scripts/bench.sh.
 *
 *   cc -O2 -shared -fPIC -o malloc_count.so malloc_count.c
 *   PARLEY_MALLOC_COUNT_FILE=/tmp/count LD_PRELOAD=./malloc_count.so program
 *
 * Calls of malloc, calloc, realloc, posix_memalign and aligned_alloc/memalign are counted into five 64-bit counters, in
 * that order and in the machine's byte order, at the start of the file. The file is a shared mapping, so another process
 * reads the counters while the program runs. Linux with glibc only: the calls go on to glibc's own __libc_ entry points,
 * which need no dlsym (dlsym itself allocates). A realloc counts whether or not the block moves; free is not watched.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

enum call { CALL_MALLOC, CALL_CALLOC, CALL_REALLOC, CALL_POSIX_MEMALIGN, CALL_ALIGNED_ALLOC, CALL_KINDS };

/* What is counted before the file is mapped is not a steady state and stays here. */
static uint64_t unshared[CALL_KINDS];
static uint64_t *counters = unshared;

static void counted(enum call call) { __atomic_fetch_add(&counters[call], 1, __ATOMIC_RELAXED); }

__attribute__((constructor)) static void share_counters(void) {
  const char *path = getenv("PARLEY_MALLOC_COUNT_FILE");
  if (path == NULL) return;
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (ftruncate(file, sizeof unshared) == 0) {
    void *shared = mmap(NULL, sizeof unshared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared != MAP_FAILED) counters = shared;
  }
  close(file);
}

void *malloc(size_t size) {
  counted(CALL_MALLOC);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  counted(CALL_CALLOC);
  return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
  counted(CALL_REALLOC);
  return __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  counted(CALL_POSIX_MEMALIGN);
  if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
  int before = errno;
  void *fresh = __libc_memalign(alignment, size);
  errno = before; /* POSIX: the fault is the result, errno is left alone. */
  if (fresh == NULL) return ENOMEM;
  *block = fresh;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
  counted(CALL_ALIGNED_ALLOC);
  return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  counted(CALL_ALIGNED_ALLOC);
  return __libc_memalign(alignment, size);
}
