/* SPDX-License-Identifier: Apache-2.0 */
#include "recheck.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <ap_expr.h>
#include <apr_strings.h>
#include "request.h"

#define PROGRAM_TIME apr_time_from_sec(2)
#define POLL_MIN     apr_time_from_msec(1)
#define POLL_MAX     apr_time_from_msec(20)
#define PROGRAM_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define CAN_CLOSE_REST 1
#endif
#endif

/** Who it is about, for expressions and programs alike. */
typedef struct {
    const char *name, *value;
} variable_t;
#define VARIABLES 3

static oas_recheck_result_t by_expression(oas_tx_t *tx, const variable_t *variables)
{
    const oas_expr_t *expr = tx->issuer->recheck.expr;
    request_rec *r = tx->host_baton;
    const char *why = NULL;
    int i, result;

    for (i = 0; i < VARIABLES; i++) {
        apr_table_set(r->subprocess_env, variables[i].name, variables[i].value);
    }
    result = ap_expr_exec(r, expr->compiled, &why);
    if (result < 0 || why != NULL) {
        oas_log(tx->log, OAS_LOG_ERROR, OAS_TAG(00384), APR_SUCCESS,
                "expression \"%s\" cannot be evaluated: %s", expr->text, why != NULL ? why : "-");
        return OAS_SUBJECT_UNCLEAR;
    }
    return result > 0 ? OAS_SUBJECT_OURS : OAS_SUBJECT_GONE;
}

/**
 * Starts the program in a group of its own, with the signals of a fresh process (threads of httpd
 * block most), no input, no output but the error log.
 */
static int start(pid_t *pid, const char *const *argv, char *const *environment)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_init(&attributes) != 0) {
        return ENOMEM;
    }
    if (posix_spawn_file_actions_init(&files) != 0) {
        posix_spawnattr_destroy(&attributes);
        return ENOMEM;
    }
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    }
#ifdef CAN_CLOSE_REST
    if (error == 0) { /* what httpd itself was started with is not closed by an exec */
        error = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    }
#endif
    if (error == 0) {
        error = posix_spawn(pid, argv[0], &files, &attributes, (char *const *)argv, environment);
    }
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/** @return 0 with *status; ETIME: it took too long and was killed, with whatever it had started */
static int wait_for(pid_t pid, int *status)
{
    apr_time_t end = apr_time_now() + PROGRAM_TIME;
    apr_interval_time_t pause = POLL_MIN;
    pid_t got;

    while ((got = waitpid(pid, status, WNOHANG)) == 0 && apr_time_now() < end) {
        apr_sleep(pause);
        pause = pause < POLL_MAX ? 2 * pause : POLL_MAX;
    }
    if (got != 0) { /* when somebody else has waited for it, its number may be another's by now */
        return got == pid ? 0 : ECHILD;
    }
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL); /* it may have left its group */
    while (waitpid(pid, status, 0) < 0 && errno == EINTR) {
    }
    return ETIME;
}

static oas_recheck_result_t by_program(oas_tx_t *tx, const variable_t *variables)
{
    const char *const *argv = tx->issuer->recheck.program;
    char *environment[VARIABLES + 2] = {NULL};
    int status = 0;
    pid_t pid;
    int i, error;

    for (i = 0; i < VARIABLES; i++) {
        environment[i] = apr_pstrcat(tx->pool, variables[i].name, "=", variables[i].value, NULL);
    }
    environment[VARIABLES] = apr_pstrdup(tx->pool, PROGRAM_PATH);
    error = start(&pid, argv, environment);
    if (error == 0) {
        error = wait_for(pid, &status);
    }
    if (error == 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1) {
        return WEXITSTATUS(status) == 0 ? OAS_SUBJECT_OURS : OAS_SUBJECT_GONE;
    }
    oas_log(tx->log, OAS_LOG_WARNING, OAS_TAG(00385),
            error != 0 ? APR_FROM_OS_ERROR(error) : APR_SUCCESS,
            "%s could not tell whether a subject is still there (%s %d)", argv[0],
            WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return OAS_SUBJECT_UNCLEAR;
}

oas_recheck_result_t oas_recheck(oas_tx_t *tx, const char *sub, const char *provider,
                                 const char *name)
{
    const variable_t variables[VARIABLES] = {
        {"OAUTH2AS_SUBJECT", sub != NULL ? sub : ""},
        {"OAUTH2AS_PROVIDER", provider != NULL ? provider : ""},
        {"OAUTH2AS_NAME", name != NULL ? name : ""}};

    return tx->issuer->recheck.kind == OAS_RECHECK_EXPR ? by_expression(tx, variables)
                                                        : by_program(tx, variables);
}
