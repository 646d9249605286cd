/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file driver.c
 * Runs a fuzz target over its corpus without libFuzzer: the files of test/fuzz/corpus/<name>, or
 * those named as arguments. Each input is given whole and, as long as it is short, cut off at each
 * byte; a copy of the exact size lets AddressSanitizer see one byte too many.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define CUT_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_one(const char *data, apr_size_t len)
{
    char *copy = malloc(len ? len : 1);

    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput((const uint8_t *)copy, len);
    free(copy);
}

static apr_status_t run_file(const char *path, apr_pool_t *pool)
{
    apr_file_t *file;
    apr_finfo_t info;
    char *data;
    apr_size_t len, cut;
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, 0, pool);

    if (rv != APR_SUCCESS || (rv = apr_file_info_get(&info, APR_FINFO_SIZE, file)) != APR_SUCCESS) {
        return rv;
    }
    data = apr_palloc(pool, (apr_size_t)info.size + 1);
    if (info.size > 0) {
        rv = apr_file_read_full(file, data, (apr_size_t)info.size, &len);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    len = (apr_size_t)info.size;
    run_one(data, len);
    for (cut = 0; cut < len && len <= CUT_MAX; cut++) {
        run_one(data, cut);
    }
    return apr_file_close(file);
}

static int run_folder(const char *folder, apr_pool_t *pool)
{
    apr_pool_t *one;
    apr_dir_t *dir;
    apr_finfo_t info;
    int count = 0;

    if (apr_dir_open(&dir, folder, pool) != APR_SUCCESS) {
        fprintf(stderr, "%s: cannot be read\n", folder);
        return 0;
    }
    apr_pool_create(&one, pool);
    while (apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_TYPE, dir) == APR_SUCCESS) {
        if (info.filetype == APR_REG) {
            if (run_file(apr_pstrcat(one, folder, "/", info.name, NULL), one) != APR_SUCCESS) {
                fprintf(stderr, "%s/%s: cannot be read\n", folder, info.name);
                return 0;
            }
            count++;
        }
        apr_pool_clear(one);
    }
    apr_dir_close(dir);
    return count;
}

/* "fuzz_form" of ".../fuzz_form" has its corpus in test/fuzz/corpus/form of the source tree. */
static const char *corpus_of(const char *program, apr_pool_t *pool)
{
    const char *srcdir = getenv("srcdir");
    const char *name = strstr(apr_filepath_name_get(program), "fuzz_");

    if (name == NULL) {
        return NULL;
    }
    return apr_pstrcat(pool, srcdir ? srcdir : ".", "/test/fuzz/corpus/", name + strlen("fuzz_"),
                       NULL);
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    const char *corpus;
    int count = 0, i;

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return 1;
    }
    for (i = 1; i < argc; i++) {
        count += run_file(argv[i], pool) == APR_SUCCESS;
    }
    if (argc == 1 && (corpus = corpus_of(argv[0], pool)) != NULL) {
        count = run_folder(corpus, pool);
    }
    printf("%s: %d inputs\n", apr_filepath_name_get(argv[0]), count);
    apr_pool_destroy(pool);
    apr_terminate();
    return count == 0;
}
