/* Preloaded into a program: appends every change to files under $FILE_LOG_ROOT to $FILE_LOG.
 *
 * A record is a line "kind\tlength of data\toffset\tpath\tother path\n", then the data. Kinds:
 * create, mkdir, write, truncate (offset is the size), sync, rename, remove. Calls that move bytes
 * inside the kernel are refused, so that whoever copies a file falls back to write.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void put(const void *bytes, size_t length) {
    static int log = -1;
    if (log < 0) log = syscall(SYS_openat, AT_FDCWD, getenv("FILE_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (const char *at = bytes; length;) {
        ssize_t done = syscall(SYS_write, log, at, length);
        if (done < 0) abort();
        at += done, length -= done;
    }
}

static int is_watched(const char *path) {
    const char *root = getenv("FILE_LOG_ROOT");
    size_t length = root ? strlen(root) : 0;
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static void record(const char *kind, size_t length, long long offset, const char *path, const char *other, const void *data) {
    char head[2 * PATH_MAX + 100];
    if (!is_watched(path) && !(other && is_watched(other))) return;
    int size = snprintf(head, sizeof head, "%s\t%zu\t%lld\t%s\t%s\n", kind, length, offset, path, other ? other : "");
    pthread_mutex_lock(&turn);
    put(head, size);
    put(data, length);
    pthread_mutex_unlock(&turn);
}

/* The whole path that a call means; 0 where there is none, as for a pipe. */
static int path_of(int folder, const char *name, char *path) {
    char link[64];
    size_t length = 0;
    if (!name || name[0] != '/') {
        if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t read = readlink(link, path, PATH_MAX - 1);
        if (read <= 0 || path[0] != '/') return 0;
        length = read;
        if (name) path[length++] = '/';
    }
    snprintf(path + length, PATH_MAX - length, "%s", name ? name : "");
    return 1;
}

static void on_file(const char *kind, int file, long long offset, size_t length, const void *data) {
    char path[PATH_MAX];
    if (path_of(file, NULL, path)) record(kind, length, offset, path, NULL, data);
}

static void on_name(const char *kind, int folder, const char *name) {
    char path[PATH_MAX];
    if (path_of(folder, name, path)) record(kind, 0, 0, path, NULL, NULL);
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    struct stat status;
    int is_new = (flags & O_CREAT) && fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW);
    int file = syscall(SYS_openat, folder, name, flags, mode);
    if (file >= 0 && is_new) on_name("create", folder, name);
    if (file >= 0 && (flags & O_TRUNC)) on_name("truncate", folder, name);
    return file;
}

#define OPEN(called, folder_argument, folder)                       \
    int called(folder_argument const char *name, int flags, ...) {  \
        va_list more;                                               \
        va_start(more, flags);                                      \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                               \
        return opened(folder, name, flags, mode);                   \
    }
#define COMMA ,
OPEN(open, , AT_FDCWD)
OPEN(open64, , AT_FDCWD)
OPEN(openat, int folder COMMA, folder)
OPEN(openat64, int folder COMMA, folder)

ssize_t write(int file, const void *data, size_t length) {
    int is_appended = fcntl(file, F_GETFL) & O_APPEND;
    long long at = is_appended ? lseek(file, 0, SEEK_END) : lseek(file, 0, SEEK_CUR);
    ssize_t done = syscall(SYS_write, file, data, length);
    if (done > 0 && at >= 0) on_file("write", file, at, done, data);
    return done;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t at) {
    ssize_t done = syscall(SYS_pwrite64, file, data, length, at);
    if (done > 0) on_file("write", file, at, done, data);
    return done;
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t at) { return pwrite(file, data, length, at); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    ssize_t total = 0;
    for (int part = 0; part < count; part++) {
        ssize_t done = write(file, parts[part].iov_base, parts[part].iov_len);
        if (done < 0) return total ? total : done;
        total += done;
        if ((size_t)done < parts[part].iov_len) break;
    }
    return total;
}

int ftruncate(int file, off_t size) {
    int result = syscall(SYS_ftruncate, file, size);
    if (!result) on_file("truncate", file, size, 0, NULL);
    return result;
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

int fsync(int file) {
    int result = syscall(SYS_fsync, file);
    if (!result) on_file("sync", file, 0, 0, NULL);
    return result;
}
int fdatasync(int file) { return fsync(file); }

int renameat2(int from, const char *name, int to, const char *other, unsigned int flags) {
    char path[PATH_MAX], target[PATH_MAX];
    int are_known = path_of(from, name, path) && path_of(to, other, target);
    int result = syscall(SYS_renameat2, from, name, to, other, flags);
    if (!result && are_known) record("rename", 0, 0, path, target, NULL);
    return result;
}
int renameat(int from, const char *name, int to, const char *other) { return renameat2(from, name, to, other, 0); }
int rename(const char *name, const char *other) { return renameat2(AT_FDCWD, name, AT_FDCWD, other, 0); }

int unlinkat(int folder, const char *name, int flags) {
    int result = syscall(SYS_unlinkat, folder, name, flags);
    if (!result) on_name("remove", folder, name);
    return result;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
    int result = unlink(name);
    return result && errno == EISDIR ? rmdir(name) : result;
}

int mkdirat(int folder, const char *name, mode_t mode) {
    int result = syscall(SYS_mkdirat, folder, name, mode);
    if (!result) on_name("mkdir", folder, name);
    return result;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

ssize_t sendfile(int out, int in, off_t *at, size_t length) { (void)out, (void)in, (void)at, (void)length; errno = ENOSYS; return -1; }
ssize_t sendfile64(int out, int in, off64_t *at, size_t length) { return sendfile(out, in, at, length); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned int flags) { (void)in, (void)from, (void)out, (void)to, (void)length, (void)flags; errno = ENOSYS; return -1; }
