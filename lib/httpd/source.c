/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "../base/bytes.h"
#include "../base/secret.h"

#define SOURCE_MAX 4096

/** Reads all of `file`; APR_ENOSPC beyond `max` bytes. */
static apr_status_t read_file(apr_file_t *file, char *buffer, apr_size_t max, oas_bytes_t *out)
{
    apr_size_t used = 0;
    apr_status_t rv = apr_file_read_full(file, buffer, max + 1, &used);

    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return rv;
    }
    if (used > max) {
        return APR_ENOSPC;
    }
    buffer[used] = '\0';
    out->data = (unsigned char *)buffer;
    out->len = used;
    return APR_SUCCESS;
}

/** The same, up to SOURCE_MAX bytes, into memory that is wiped with the pool. */
static apr_status_t read_all(apr_file_t *file, oas_bytes_t *out, apr_pool_t *pool)
{
    char *buffer = apr_palloc(pool, SOURCE_MAX + 1);

    oas_wipe_with_pool(pool, buffer, SOURCE_MAX + 1);
    return read_file(file, buffer, SOURCE_MAX, out);
}

const char *oas_file_read(const oas_setting_t *setting, const char *name, apr_size_t max,
                          oas_bytes_t *out)
{
    const char *path = ap_server_root_relative(setting->pool, name);
    apr_file_t *file;
    apr_status_t rv = path != NULL ? APR_SUCCESS : APR_EBADPATH;

    if (rv == APR_SUCCESS) {
        rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT,
                           setting->pool);
    }
    if (rv == APR_SUCCESS) {
        rv = read_file(file, apr_palloc(setting->pool, max + 1), max, out);
        apr_file_close(file);
    }
    if (rv == APR_ENOSPC) {
        return apr_psprintf(setting->pool, "%s is longer than %" APR_SIZE_T_FMT " bytes", path,
                            max);
    }
    return rv == APR_SUCCESS ? NULL
                             : apr_psprintf(setting->pool, "cannot read %s: %pm",
                                            path != NULL ? path : name, &rv);
}

const char *oas_program_path(const oas_setting_t *setting, const char *name, const char **why)
{
    const char *path = ap_server_root_relative(setting->pool, name);
    apr_finfo_t info;

    if (path == NULL || apr_stat(&info, path, APR_FINFO_TYPE, setting->pool) != APR_SUCCESS ||
        info.filetype != APR_REG || access(path, X_OK) != 0) {
        *why = apr_psprintf(setting->pool, "there is no program %s that can be run",
                            path != NULL ? path : name);
        return NULL;
    }
    return path;
}

/** NULL when only root, or whoever runs httpd, can read the open file. */
static const char *check_private(apr_file_t *file, const char *path, apr_pool_t *pool)
{
    apr_finfo_t info;

    if (apr_file_info_get(&info, APR_FINFO_OWNER | APR_FINFO_PROT | APR_FINFO_TYPE, file) !=
            APR_SUCCESS ||
        info.filetype != APR_REG) {
        return apr_psprintf(pool, "%s is not a plain file", path);
    }
    if (info.protection &
        (APR_FPROT_GREAD | APR_FPROT_GWRITE | APR_FPROT_WREAD | APR_FPROT_WWRITE)) {
        return apr_psprintf(pool, "%s can be read or written by others than its owner (chmod 600)",
                            path);
    }
    if (info.user != 0 && info.user != geteuid()) {
        return apr_psprintf(pool, "%s belongs neither to root nor to the user who starts httpd",
                            path);
    }
    return NULL;
}

static const char *from_file(const oas_setting_t *setting, const char *name, oas_bytes_t *out)
{
    const char *path = ap_server_root_relative(setting->pool, name);
    const char *why;
    apr_file_t *file;
    apr_status_t rv;

    if (path == NULL) {
        return apr_psprintf(setting->pool, "%s is no valid path", name);
    }
    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_FPROT_OS_DEFAULT,
                       setting->pool);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(setting->pool, "cannot read %s: %pm", path, &rv);
    }
    why = check_private(file, path, setting->pool);
    if (why == NULL) {
        rv = read_all(file, out, setting->pool);
        if (rv == APR_ENOSPC) {
            why = apr_psprintf(setting->pool, "%s is longer than %d bytes", path, SOURCE_MAX);
        } else if (rv != APR_SUCCESS) {
            why = apr_psprintf(setting->pool, "cannot read %s: %pm", path, &rv);
        }
    }
    apr_file_close(file);
    return why;
}

static const char *from_env(const oas_setting_t *setting, const char *name, oas_bytes_t *out)
{
    const char *value = getenv(name);
    char *copy;

    if (value == NULL) {
        return apr_psprintf(setting->pool, "there is no environment variable %s", name);
    }
    copy = apr_pstrdup(setting->pool, value);
    oas_wipe_with_pool(setting->pool, copy, strlen(copy));
    out->data = (unsigned char *)copy;
    out->len = strlen(copy);
    return NULL;
}

static const char *run(const char *const *argv, oas_bytes_t *out, apr_pool_t *pool)
{
    apr_procattr_t *attr;
    apr_proc_t proc;
    apr_status_t rv, read_rv;
    apr_exit_why_e how;
    int code;

    rv = apr_procattr_create(&attr, pool);
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_io_set(attr, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM_ENV);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_error_check_set(attr, 1);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_proc_create(&proc, argv[0], argv, NULL, attr, pool);
    }
    if (rv != APR_SUCCESS) {
        return apr_psprintf(pool, "cannot run %s: %pm", argv[0], &rv);
    }
    read_rv = read_all(proc.out, out, pool);
    apr_file_close(proc.out);
    apr_proc_wait(&proc, &code, &how, APR_WAIT);
    if (read_rv != APR_SUCCESS || how != APR_PROC_EXIT || code != 0) {
        return apr_psprintf(pool, "%s failed or printed more than %d bytes", argv[0], SOURCE_MAX);
    }
    return NULL;
}

static const char *from_program(const oas_setting_t *setting, const char *command, oas_bytes_t *out)
{
    char **argv;

    if (apr_tokenize_to_argv(command, &argv, setting->pool) != APR_SUCCESS || argv[0] == NULL) {
        return apr_psprintf(setting->pool, "exec: needs a program");
    }
    argv[0] = ap_server_root_relative(setting->pool, argv[0]);
    if (argv[0] == NULL) {
        return apr_psprintf(setting->pool, "exec: needs the path of a program");
    }
    return run((const char *const *)argv, out, setting->pool);
}

const char *oas_source_read(const oas_setting_t *setting, const char *source, oas_bytes_t *out)
{
    static const struct {
        const char *prefix;
        const char *(*read)(const oas_setting_t *setting, const char *rest, oas_bytes_t *out);
    } sources[] = {{"file:", from_file}, {"env:", from_env}, {"exec:", from_program}};
    const char *why;
    apr_size_t i;

    for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        apr_size_t len = strlen(sources[i].prefix);
        if (strncmp(source, sources[i].prefix, len) == 0) {
            why = sources[i].read(setting, source + len, out);
            if (why == NULL) {
                oas_secret_trim(out);
            }
            return why;
        }
    }
    return apr_psprintf(setting->pool,
                        "%s takes file:PATH, env:NAME or exec:PROGRAM, never the value itself",
                        setting->row->name);
}
