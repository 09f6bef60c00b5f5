/* What Glibc's module leaves out. */
#include <sys/epoll.h>
#include <sys/prctl.h>

/* Timers of this thread are as exact as the machine has them. */
static inline void sharpen_timers(void) { prctl(PR_SET_TIMERSLACK, 1UL); }
