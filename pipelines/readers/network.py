"""The process that reads files gives up its network, where the system lets it.

A hostile file that takes a parser over could otherwise send what it finds. On Linux a process may
leave every network (unshare, network namespaces): the superuser at once, anybody else inside a user
namespace of its own, which some systems and most containers forbid. Nothing is lost there but this
one of several walls; ``adoption doctor`` says which it is.
"""

from __future__ import annotations

import ctypes
import os
import sys

# include/uapi/linux/sched.h; ``os.unshare`` has been there only since Python 3.12.
_NEW_NETWORK = 0x4000_0000
_NEW_USER = 0x1000_0000


def leave_network() -> bool:
    """Leave every network for the rest of this process's life; False where that is not possible.

    For a process with one thread: only such a one may have a user namespace of its own.
    """
    if sys.platform != "linux":
        return False
    try:
        unshare = ctypes.CDLL(None).unshare
    except (OSError, AttributeError):
        return False
    if unshare(_NEW_NETWORK) == 0:
        return True
    # In a user namespace the superuser of a container would lose its right to read others' files.
    return os.geteuid() != 0 and unshare(_NEW_USER | _NEW_NETWORK) == 0
