/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PARTS_BITS 6 /* parts of a power of two: 64 */

/* Below 64 each microsecond has a place of its own; above, each power of two has 64. */
static int place_of(apr_uint64_t value)
{
    int shift, place;

    if (value < (1u << PARTS_BITS)) {
        return (int)value;
    }
    shift = 63 - __builtin_clzll(value) - PARTS_BITS;
    place = ((shift + 1) << PARTS_BITS) + (int)((value >> shift) & ((1u << PARTS_BITS) - 1));
    return place < HISTOGRAM_SIZE ? place : HISTOGRAM_SIZE - 1;
}

static apr_uint64_t value_at(int place)
{
    int shift = (place >> PARTS_BITS) - 1;

    if (shift < 0) {
        return (apr_uint64_t)place;
    }
    return ((apr_uint64_t)(place & ((1 << PARTS_BITS) - 1)) | (1u << PARTS_BITS)) << shift;
}

void histogram_add(histogram_t *histogram, apr_uint64_t microseconds)
{
    histogram->counts[place_of(microseconds)]++;
    histogram->total++;
}

apr_uint64_t histogram_at(const histogram_t *histogram, double part)
{
    apr_uint64_t wanted = (apr_uint64_t)((double)histogram->total * part), seen = 0;
    int i;

    for (i = 0; i < HISTOGRAM_SIZE; i++) {
        seen += histogram->counts[i];
        if (seen > wanted || (seen == histogram->total && seen > 0)) {
            return value_at(i);
        }
    }
    return 0;
}

apr_uint64_t measure_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_uint64_t)now.tv_sec * 1000000 + (apr_uint64_t)now.tv_nsec / 1000;
}

/* Fields of /proc/PID/stat behind the name, which may contain anything: state, parent, ...
 * (proc(5)). */
static int read_stat(long pid, long *parent, apr_uint64_t *ticks)
{
    char path[64], text[1024], *at;
    ssize_t len;
    int fd, i;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    at = strrchr(text, ')');
    if (at == NULL || strlen(at) < 4) {
        return 0;
    }
    *parent = strtol(at + 4, &at, 10);
    for (i = 0; i < 9; i++) {
        strtol(at, &at, 10);
    }
    *ticks = strtoull(at, &at, 10);
    *ticks += strtoull(at, &at, 10);
    return 1;
}

apr_uint64_t measure_usage(long parent)
{
    apr_uint64_t sum = 0, ticks;
    DIR *processes = opendir("/proc");
    struct dirent *entry;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10), above;

        if (pid > 0 && read_stat(pid, &above, &ticks) && (above == parent || pid == parent)) {
            sum += ticks;
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
    return sum * 1000000 / (apr_uint64_t)sysconf(_SC_CLK_TCK);
}
