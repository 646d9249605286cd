/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_main.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#define LAST_LINES apr_time_from_sec(3)
#define LOOK_AGAIN apr_time_from_msec(20)

struct oas_audit_program {
    const char *command;
    int reads, writes; /* this process's ends of the pipe; -1: closed */
    apr_pool_t *pool;  /* of the program that runs now */
    pid_t pid;         /* its; 0: none does */
    pid_t owner;       /* the process that starts it */
};

static void shut(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

static int has_ended(pid_t pid)
{
    int status;
    pid_t rv;

    do {
        rv = waitpid(pid, &status, WNOHANG);
    } while (rv < 0 && errno == EINTR);
    return rv != 0;
}

/** At the end of httpd whoever supervises it may kill all that is left of it. */
static void wait_for_last_lines(pid_t pid)
{
    apr_interval_time_t waited = 0;

    while (!has_ended(pid)) {
        if (waited >= LAST_LINES) {
            kill(pid, SIGTERM);
            return;
        }
        apr_sleep(LOOK_AGAIN);
        waited += LOOK_AGAIN;
    }
}

/** The children of this generation may write on; the program ends with the last of them. */
static apr_status_t let_go(void *data)
{
    oas_audit_program_t *program = data;

    if (program->owner != getpid()) {
        return APR_SUCCESS;
    }
    shut(&program->writes);
    shut(&program->reads);
    if (program->pid > 0 && ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING) {
        wait_for_last_lines(program->pid);
    }
    return APR_SUCCESS;
}

static void start_again(int reason, void *data, int status);

static apr_status_t run(oas_audit_program_t *program)
{
    apr_pool_t *pool = program->pool;
    apr_proc_t *proc = apr_pcalloc(pool, sizeof(*proc));
    apr_procattr_t *attr = NULL;
    apr_file_t *input = NULL;
    char **argv = NULL;
    apr_status_t rv = apr_tokenize_to_argv(program->command, &argv, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_os_pipe_put(&input, &program->reads, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_create(&attr, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_child_in_set(attr, input, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_dir_set(attr, ap_server_root);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_cmdtype_set(attr, APR_PROGRAM_ENV);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_procattr_error_check_set(attr, 1);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_proc_create(proc, argv[0], (const char *const *)argv, NULL, attr, pool);
    }
    program->pid = rv == APR_SUCCESS ? proc->pid : 0;
    if (rv == APR_SUCCESS) {
        apr_proc_other_child_register(proc, start_again, program, NULL, pool);
    }
    return rv;
}

/** Told by httpd's first process about its children. */
static void start_again(int reason, void *data, int status)
{
    oas_audit_program_t *program = data;
    int state = AP_MPMQ_STOPPING;
    apr_status_t rv;

    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    program->pid = 0;
    apr_pool_clear(program->pool); /* which asks no more about it */
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    if (state == AP_MPMQ_STOPPING) {
        return;
    }
    rv = run(program);
    ap_log_error(APLOG_MARK, rv == APR_SUCCESS ? APLOG_WARNING : APLOG_ERR, rv, ap_server_conf,
                 OAS_TAG(01251) ": the program %s ended, which reads the audit log (status %d); %s",
                 program->command, status,
                 rv == APR_SUCCESS ? "it is started again" : "it cannot be started again");
}

apr_status_t oas_audit_program_start(oas_audit_program_t **out, const char *command,
                                     apr_pool_t *pconf)
{
    oas_audit_program_t *program = apr_pcalloc(pconf, sizeof(*program));
    int ends[2];
    apr_status_t rv = apr_pool_create(&program->pool, pconf);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (pipe2(ends, O_CLOEXEC) != 0) { /* no other program holds the pipe open */
        return APR_FROM_OS_ERROR(errno);
    }
    program->command = apr_pstrdup(pconf, command);
    program->owner = getpid();
    program->reads = ends[0];
    program->writes = ends[1];
    apr_pool_cleanup_register(pconf, program, let_go, apr_pool_cleanup_null);
    if (fcntl(program->writes, F_SETFL, O_NONBLOCK) != 0) {
        return APR_FROM_OS_ERROR(errno);
    }
    *out = program;
    return run(program);
}

int oas_audit_program_fd(const oas_audit_program_t *program)
{
    return program->writes;
}

void oas_audit_program_child(oas_audit_program_t *program)
{
    shut(&program->reads);
}
