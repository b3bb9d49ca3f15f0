"""Keep freed memory in the process, which makes training on a CPU much faster on Linux.

By default the GNU C library hands large blocks back to the kernel whenever they are freed,
and every training step asks for them again, page by page. How much keeping them brings,
``python -m benchmarks`` prints: it times both. The setting belongs to the whole process, so it
is made by the first ``fit`` and by the command line, never by an import.
"""

import ctypes
import os
import platform
from functools import cache

# From <malloc.h>.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4


@cache
def keep_memory() -> bool:
    """Tell the allocator to keep freed memory, once; tell whether it does.

    Only for the GNU C library; ``DIVEKIT_KEEP_MEMORY=0`` turns it off.
    """
    if os.environ.get("DIVEKIT_KEEP_MEMORY", "1") == "0" or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, 2**31 - 1), (M_TOP_PAD, 64 * 2**20))
    accepted = [mallopt(key, value) == 1 for key, value in settings]
    return all(accepted)
