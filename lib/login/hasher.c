/* SPDX-License-Identifier: Apache-2.0 */
#include "hasher.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include "../base/metrics.h"
#include "hash.h"

#define NICE         10
#define SLOT_SECONDS 5

typedef enum { QUEUED, RUNNING, DONE } progress_t;

/* One piece of work; lives on the stack of the thread that waits for it. */
typedef struct job {
    struct job *next;
    void (*work)(void *baton);
    void *baton;
    apr_time_t begun;
    progress_t progress;
} job_t;

struct oas_hasher_slots {
    sem_t free; /* in memory that all child processes share */
    int count;
};

struct oas_hasher {
    oas_hasher_slots_t *slots;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *come; /* there is work, or the end */
    apr_thread_cond_t *done; /* some work has ended */
    job_t *first;
    job_t **end;
    int waiting, max_waiting;
    int stop;
    apr_thread_t **threads;
    int started;
};

int oas_hasher_threads(void)
{
    cpu_set_t usable;
    int count = sched_getaffinity(0, sizeof(usable), &usable) == 0 ? CPU_COUNT(&usable) : 1;

    return count > 1 ? count / 2 : 1;
}

static apr_status_t unmap(void *slots)
{
    munmap(slots, sizeof(oas_hasher_slots_t));
    return APR_SUCCESS;
}

apr_status_t oas_hasher_slots_create(oas_hasher_slots_t **out, int count, apr_pool_t *pool)
{
    oas_hasher_slots_t *slots =
        mmap(NULL, sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (slots == MAP_FAILED) {
        return APR_FROM_OS_ERROR(errno);
    }
    apr_pool_cleanup_register(pool, slots, unmap, apr_pool_cleanup_null);
    slots->count = count;
    *out = slots;
    return sem_init(&slots->free, 1, (unsigned)count) == 0 ? APR_SUCCESS : APR_FROM_OS_ERROR(errno);
}

/* Whoever has waited too long goes on as if whoever has the slot had died. */
static void take_slot(oas_hasher_slots_t *slots)
{
    struct timespec until;

    if (clock_gettime(CLOCK_REALTIME, &until) == 0) {
        until.tv_sec += SLOT_SECONDS;
        sem_timedwait(&slots->free, &until);
    }
}

static void give_slot(oas_hasher_slots_t *slots)
{
    int value;

    if (sem_getvalue(&slots->free, &value) == 0 && value < slots->count) {
        sem_post(&slots->free);
    }
}

static void do_job(oas_hasher_t *hasher, job_t *job)
{
    if (hasher->slots != NULL) {
        take_slot(hasher->slots);
    }
    job->begun = apr_time_now();
    oas_gauge_add(OAS_M_HASH_RUNNING, 1);
    job->work(job->baton);
    oas_gauge_add(OAS_M_HASH_RUNNING, -1);
    oas_observe(OAS_M_HASH_TIME, 0, apr_time_now() - job->begun);
    if (hasher->slots != NULL) {
        give_slot(hasher->slots);
    }
}

/* Mutex held. */
static job_t *take_first(oas_hasher_t *hasher)
{
    job_t *job = hasher->first;

    if (job != NULL) {
        hasher->first = job->next;
        hasher->end = hasher->first != NULL ? hasher->end : &hasher->first;
        hasher->waiting--;
        oas_gauge_add(OAS_M_HASH_WAITING, -1);
        job->progress = RUNNING;
    }
    return job;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    oas_hasher_t *hasher = data;
    job_t *job;

    (void)thread;
    /* for this thread alone: on Linux each has a priority of its own, by its thread id */
    setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
    apr_thread_mutex_lock(hasher->mutex);
    while (!hasher->stop) {
        job = take_first(hasher);
        if (job == NULL) {
            apr_thread_cond_wait(hasher->come, hasher->mutex);
            continue;
        }
        apr_thread_mutex_unlock(hasher->mutex);
        do_job(hasher, job);
        apr_thread_mutex_lock(hasher->mutex);
        job->progress = DONE;
        apr_thread_cond_broadcast(hasher->done);
    }
    apr_thread_mutex_unlock(hasher->mutex);
    return NULL;
}

/*
 * MPM prefork ends a child in a signal handler, by the thread that may just hold the mutex. Then
 * the threads end with the process.
 */
static int lock_soon(apr_thread_mutex_t *mutex)
{
    int tries = 0;

    while (apr_thread_mutex_trylock(mutex) != APR_SUCCESS) {
        if (++tries == 100) {
            return 0;
        }
        apr_sleep(apr_time_from_msec(5));
    }
    return 1;
}

static apr_status_t stop(void *data)
{
    oas_hasher_t *hasher = data;
    apr_status_t rv;
    int i;

    if (!lock_soon(hasher->mutex)) {
        return APR_SUCCESS;
    }
    hasher->stop = 1;
    apr_thread_cond_broadcast(hasher->come);
    apr_thread_mutex_unlock(hasher->mutex);
    for (i = 0; i < hasher->started; i++) {
        apr_thread_join(&rv, hasher->threads[i]);
    }
    return APR_SUCCESS;
}

/* Signals are for the threads that the MPM means. */
static apr_status_t start(oas_hasher_t *hasher, int threads, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (hasher->started < threads && rv == APR_SUCCESS) {
        rv = apr_thread_create(&hasher->threads[hasher->started], NULL, run, hasher, pool);
        hasher->started += rv == APR_SUCCESS;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return hasher->started > 0 ? APR_SUCCESS : rv;
}

apr_status_t oas_hasher_create(oas_hasher_t **out, oas_hasher_slots_t *slots, int threads,
                               int waiting, apr_pool_t *pool)
{
    oas_hasher_t *hasher = apr_pcalloc(pool, sizeof(*hasher));
    apr_status_t rv = apr_thread_mutex_create(&hasher->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&hasher->come, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = apr_thread_cond_create(&hasher->done, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    hasher->end = &hasher->first;
    hasher->max_waiting = waiting;
    hasher->slots = slots;
    hasher->threads = apr_pcalloc(pool, (apr_size_t)threads * sizeof(apr_thread_t *));
    apr_pool_pre_cleanup_register(pool, hasher, stop);
    rv = start(hasher, threads, pool);
    *out = rv == APR_SUCCESS ? hasher : NULL;
    return rv;
}

/* Mutex held. */
static void append(oas_hasher_t *hasher, job_t *job)
{
    *hasher->end = job;
    hasher->end = &job->next;
    hasher->waiting++;
    oas_gauge_add(OAS_M_HASH_WAITING, 1);
    apr_thread_cond_signal(hasher->come);
}

/* Mutex held. */
static void take_off(oas_hasher_t *hasher, const job_t *job)
{
    job_t **at = &hasher->first;

    while (*at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    if (job->next == NULL) {
        hasher->end = at;
    }
    hasher->waiting--;
    oas_gauge_add(OAS_M_HASH_WAITING, -1);
}

/* Waits until a job is done, or gives it up before it has begun. Mutex held. */
static apr_status_t await(oas_hasher_t *hasher, const job_t *job)
{
    apr_time_t deadline = apr_time_now() + OAS_HASHER_PATIENCE;
    apr_interval_time_t left = OAS_HASHER_PATIENCE;

    while (job->progress == QUEUED && left > 0) {
        /* a clock set back must not make the wait longer than it was meant to be */
        apr_thread_cond_timedwait(hasher->done, hasher->mutex,
                                  left < OAS_HASHER_PATIENCE ? left : OAS_HASHER_PATIENCE);
        left = deadline - apr_time_now();
    }
    if (job->progress == QUEUED) {
        take_off(hasher, job);
        return APR_EAGAIN;
    }
    while (job->progress != DONE) {
        apr_thread_cond_wait(hasher->done, hasher->mutex);
    }
    return APR_SUCCESS;
}

apr_status_t oas_hasher_run(oas_hasher_t *hasher, void (*work)(void *baton), void *baton,
                            apr_interval_time_t *waited)
{
    job_t job = {.work = work, .baton = baton};
    apr_time_t came = apr_time_now();
    apr_status_t rv = APR_EAGAIN;

    if (hasher == NULL) {
        work(baton);
        return APR_SUCCESS;
    }
    apr_thread_mutex_lock(hasher->mutex);
    if (hasher->waiting < hasher->max_waiting && !hasher->stop) {
        append(hasher, &job);
        rv = await(hasher, &job);
    }
    apr_thread_mutex_unlock(hasher->mutex);
    if (rv != APR_SUCCESS) {
        oas_count(OAS_M_HASH_REFUSED, 0, 0);
    } else {
        oas_observe(OAS_M_HASH_WAIT, 0, job.begun - came);
    }
    if (rv == APR_SUCCESS && waited != NULL) {
        *waited += job.begun - came;
    }
    return rv;
}

typedef struct {
    const char *password, *hash;
    int cost, matches;
} match_t;

static void match(void *baton)
{
    match_t *in = baton;

    in->matches = oas_password_matches(in->password, in->hash, in->cost);
}

apr_status_t oas_hasher_matches(oas_hasher_t *hasher, const char *password, const char *hash,
                                int cost, int *matches, apr_interval_time_t *waited)
{
    match_t in = {password, hash, cost, 0};
    apr_status_t rv = oas_hasher_run(hasher, match, &in, waited);

    *matches = in.matches;
    return rv;
}

typedef struct {
    const char *password, *hash;
    int cost;
    apr_pool_t *pool;
    apr_status_t status;
} make_t;

static void make(void *baton)
{
    make_t *in = baton;

    in->status = oas_password_hash(&in->hash, in->password, in->cost, in->pool);
}

apr_status_t oas_hasher_hash(oas_hasher_t *hasher, const char **out, const char *password, int cost,
                             apr_pool_t *pool)
{
    make_t in = {password, NULL, cost, pool, APR_EGENERAL};
    apr_status_t rv = oas_hasher_run(hasher, make, &in, NULL);

    *out = in.hash;
    return rv == APR_SUCCESS ? in.status : rv;
}
