/* SPDX-License-Identifier: Apache-2.0 */
#include "as_user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <httpd.h>
#include <unixd.h>
#include <apr_strings.h>
#include <apr_user.h>

static uid_t user(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

const char *oas_user_name(apr_pool_t *pool)
{
    char *name;

    return apr_uid_name_get(&name, user(), pool) == APR_SUCCESS
               ? name
               : apr_psprintf(pool, "#%lu", (unsigned long)user());
}

int oas_user_reads_alone(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        return errno;
    }
    return S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0 ? EPERM : 0;
}

int oas_user_sees(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 || errno == ENOENT ? 0 : errno;
}

/** As mod_unixd does it for the children. Without those rights the answer is left to time. */
static int ask_as(const char *name, const char *path, oas_user_question_t *ask)
{
    if (setgid(ap_unixd_config.group_id) != 0 || initgroups(name, ap_unixd_config.group_id) != 0 ||
        setuid(ap_unixd_config.user_id) != 0) {
        return 0;
    }
    return ask(path);
}

static int errno_of(const char *path, oas_user_question_t *ask, apr_pool_t *pool)
{
    const char *name = oas_user_name(pool);
    int status = 0;
    pid_t child;

    if (geteuid() != 0) {
        return ask(path);
    }
    child = fork();
    if (child == 0) {
        _exit(ask_as(name, path, ask));
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

const char *oas_as_user(const char *path, oas_user_question_t *ask, apr_pool_t *pool)
{
    int error = errno_of(path, ask, pool);
    char why[120];

    switch (error) {
    case 0:
        return NULL;
    case EPERM:
        return "others than its owner may read or write it (chmod 600)";
    case EACCES:
        return "these may not read it, or not look into its folder";
    default:
        return apr_psprintf(pool, "it cannot be read: %s", apr_strerror(error, why, sizeof(why)));
    }
}
