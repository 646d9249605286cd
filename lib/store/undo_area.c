/* SPDX-License-Identifier: Apache-2.0 */
#include "undo_area.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "../base/clock.h"
#include "unsettled.h"

#define READY      0x6f617331u /* the area begins as zeros */
#define SLOTS      1024        /* more than a node has threads */
#define LABEL_MAX  32
#define LOCK_TRIES 2000 /* half a second: the holder needs microseconds unless he is stopped */
#define LOCK_NAP   ((apr_interval_time_t)200)
/* No statement takes so long; the number of a dead process may have been given to another one. */
#define HELD_MAX apr_time_from_sec(120)

/* The state is written last, so a process that dies in between has changed nothing. */
typedef struct {
    enum { FREE, WAITING, HANDED_OUT } state;
    pid_t owner;           /* who has it in hand, */
    apr_time_t until;      /* and for how long at most */
    char label[LABEL_MAX]; /* of the statement: its number may be another one after an update */
    oas_undo_t undo;
} slot_t;

struct oas_undo_area {
    apr_uint32_t ready;
    apr_uint32_t count; /* of slots that are not free; written under the mutex, read without it */
    apr_time_t moments[OAS_MOMENT_COUNT];
    apr_uint64_t last; /* number given */
    pthread_mutex_t mutex;
    slot_t slots[SLOTS];
};

apr_size_t oas_undo_area_size(void)
{
    return sizeof(oas_undo_area_t);
}

apr_status_t oas_undo_area_prepare(oas_undo_area_t *area)
{
    pthread_mutexattr_t attr;
    int failed;

    if (area->ready == READY)
        return APR_SUCCESS;
    failed = pthread_mutexattr_init(&attr);
    if (failed)
        return APR_FROM_OS_ERROR(failed);
    failed = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (!failed)
        failed = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    if (!failed)
        failed = pthread_mutex_init(&area->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    if (!failed)
        area->ready = READY;
    return failed ? APR_FROM_OS_ERROR(failed) : APR_SUCCESS;
}

/* Mutex held, which somebody had when he died. */
static void count_again(oas_undo_area_t *area)
{
    apr_uint32_t count = 0;
    int i;

    for (i = 0; i < SLOTS; i++)
        count += area->slots[i].state != FREE;
    __atomic_store_n(&area->count, count, __ATOMIC_RELAXED);
}

/* 0: it cannot be had. Bounded by tries, whatever is done to the clocks. */
static int lock(oas_undo_area_t *area)
{
    int tries, failed;

    for (tries = 0; (failed = pthread_mutex_trylock(&area->mutex)) == EBUSY; tries++) {
        if (tries == LOCK_TRIES)
            return 0;
        apr_sleep(LOCK_NAP);
    }
    if (failed == EOWNERDEAD) {
        count_again(area);
        failed = pthread_mutex_consistent(&area->mutex);
    }
    return !failed;
}

static void unlock(oas_undo_area_t *area)
{
    pthread_mutex_unlock(&area->mutex);
}

static void add_count(oas_undo_area_t *area, int n)
{
    __atomic_store_n(&area->count, area->count + (apr_uint32_t)n, __ATOMIC_RELAXED);
}

apr_status_t oas_undo_area_put(oas_undo_area_t *area, const oas_undo_t *undo)
{
    int i = 0;

    if (!lock(area))
        return APR_EBUSY;
    while (i < SLOTS && area->slots[i].state != FREE)
        i++;
    if (i < SLOTS) {
        slot_t *slot = &area->slots[i];

        apr_cpystrn(slot->label, oas_statements[undo->statement].label, LABEL_MAX);
        slot->undo = *undo;
        slot->undo.number = ++area->last;
        __atomic_store_n(&slot->state, WAITING, __ATOMIC_RELEASE);
        add_count(area, 1);
    }
    unlock(area);
    return i < SLOTS ? APR_SUCCESS : APR_ENOSPC;
}

/* The processes of a node run as one user, so whom we may not ask for is not one of them. */
static int may_be_taken(const slot_t *slot, apr_time_t now)
{
    return slot->state == WAITING ||
           (slot->state == HANDED_OUT && (now >= slot->until || kill(slot->owner, 0)));
}

static slot_t *oldest(oas_undo_area_t *area, const char *first_param)
{
    apr_time_t now = oas_clock();
    slot_t *found = NULL;
    int i;

    for (i = 0; i < SLOTS; i++) {
        slot_t *slot = &area->slots[i];

        if ((!found || slot->undo.number < found->undo.number) &&
            oas_undo_fits(&slot->undo, first_param) && may_be_taken(slot, now))
            found = slot;
    }
    return found;
}

/* Mutex held. */
static void set_free(oas_undo_area_t *area, slot_t *slot)
{
    __atomic_store_n(&slot->state, FREE, __ATOMIC_RELEASE);
    add_count(area, -1);
    memset(slot, 0, sizeof(*slot));
}

/* 0: this version of the module has no such statement. */
static int read_slot(oas_undo_area_t *area, const slot_t *slot, oas_undo_t *undo)
{
    int id = 0;

    while (id < OAS_STMT_COUNT && strcmp(oas_statements[id].label, slot->label))
        id++;
    *undo = slot->undo;
    undo->statement = (oas_stmt_id_t)id;
    undo->area = area;
    return id < OAS_STMT_COUNT;
}

int oas_undo_area_take(oas_undo_area_t *area, const char *first_param, oas_undo_t *undo)
{
    slot_t *slot;

    if (!oas_undo_area_count(area) || !lock(area))
        return 0;
    slot = oldest(area, first_param);
    while (slot && !read_slot(area, slot, undo)) {
        set_free(area, slot);
        slot = oldest(area, first_param);
    }
    if (slot) {
        slot->owner = getpid();
        slot->until = oas_clock() + HELD_MAX;
        __atomic_store_n(&slot->state, HANDED_OUT, __ATOMIC_RELEASE);
    }
    unlock(area);
    return slot != NULL;
}

/* The slot of what was handed out, locked; NULL (and not locked): another one is at it, or has
 * been. When the lock cannot be had, others take it when its time is over. */
static slot_t *find(const oas_undo_t *undo)
{
    slot_t *slots = undo->area->slots;
    int i = 0;

    if (!lock(undo->area))
        return NULL;
    while (i < SLOTS && (slots[i].state != HANDED_OUT || slots[i].undo.number != undo->number))
        i++;
    if (i == SLOTS)
        unlock(undo->area);
    return i < SLOTS ? &slots[i] : NULL;
}

void oas_undo_area_done(const oas_undo_t *undo)
{
    slot_t *slot = find(undo);

    if (slot) {
        set_free(undo->area, slot);
        unlock(undo->area);
    }
}

void oas_undo_area_back(const oas_undo_t *undo)
{
    slot_t *slot = find(undo);

    if (slot) {
        slot->undo.number = ++undo->area->last;
        __atomic_store_n(&slot->state, WAITING, __ATOMIC_RELEASE);
        unlock(undo->area);
    }
}

int oas_undo_area_count(const oas_undo_area_t *area)
{
    return (int)__atomic_load_n(&area->count, __ATOMIC_RELAXED);
}

void oas_undo_area_note(oas_undo_area_t *area, oas_moment_t moment, apr_time_t now)
{
    __atomic_store_n(&area->moments[moment], now, __ATOMIC_RELAXED);
}

apr_time_t oas_undo_area_noted(const oas_undo_area_t *area, oas_moment_t moment)
{
    return __atomic_load_n(&area->moments[moment], __ATOMIC_RELAXED);
}
