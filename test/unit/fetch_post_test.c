/* SPDX-License-Identifier: Apache-2.0 */
/* Forms that are posted many at once, to a server of the test's own. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <apr_strings.h>
#include "../../lib/fetch/fetch.h"
#include "../../lib/fetch/post.h"

#define BODY     "logout_token=a.b.c"
#define MOST     64
#define LONG_RUN apr_time_from_sec(20)

static oas_issuer_t issuer = {.url = "http://localhost/"};
static oas_posts_t *posts;
static int server_port;
static int visits; /* of /target */

/* What each path answers; NULL: nothing, ever. */
static const struct {
    const char *path, *text;
} answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
    {"/kept", "HTTP/1.1 204 No Content\r\nX-Kept: 100\r\n\r\n"},
    {"/none", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"/refused", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"},
    {"/broken", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"},
    {"/elsewhere", "HTTP/1.1 302 Found\r\nLocation: /target\r\nContent-Length: 0\r\n\r\n"},
    {"/again", "HTTP/1.1 307 Again\r\nLocation: /target\r\nContent-Length: 0\r\n\r\n"},
    {"/long", "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nx"},
    {"/interim", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"/garbage", "220 this is no web server\r\n\r\n"},
    {"/closed", ""},
    {"/hang", NULL},
};

static const char *answer_to(const char *request)
{
    apr_size_t i;

    for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        apr_size_t len = strlen(answers[i].path);
        if (strncmp(request, "POST ", 5) == 0 && strncmp(request + 5, answers[i].path, len) == 0 &&
            request[5 + len] == ' ') {
            return answers[i].text;
        }
    }
    __atomic_add_fetch(&visits, 1, __ATOMIC_SEQ_CST);
    return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
}

/* A whole request has the body that all of them have, and says what it is. */
static int is_whole(const char *request)
{
    return strstr(request, "\r\n\r\n" BODY) != NULL &&
           strstr(request, "Content-Type: application/x-www-form-urlencoded\r\n") != NULL &&
           strstr(request, "Expect:") == NULL && strstr(request, "Cookie:") == NULL;
}

static void *serve_one(void *data)
{
    int fd = (int)(long)data;
    char request[4096];
    size_t len = 0;
    ssize_t got;
    const char *text = NULL;

    do {
        got = read(fd, request + len, sizeof(request) - 1 - len);
        len += got > 0 ? (size_t)got : 0;
        request[len] = '\0';
    } while (got > 0 && !is_whole(request));
    text = answer_to(request);
    if (text != NULL) {
        got = write(fd, text, strlen(text));
    }
    /* until the other side has gone, where the answer does not end or the connection is kept */
    while ((text == NULL || strstr(text, "100") != NULL) && read(fd, request, 1) > 0) {
    }
    close(fd);
    return NULL;
}

static void *serve(void *data)
{
    int listener = (int)(long)data;
    int fd;

    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, serve_one, (void *)(long)fd);
        pthread_detach(thread);
    }
    return NULL;
}

static void setup(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;

    unit_setup();
    signal(SIGPIPE, SIG_IGN);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(listener, 2 * MOST), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    server_port = ntohs(address.sin_port);
    pthread_create(&thread, NULL, serve, (void *)(long)listener);
    pthread_detach(thread);
    visits = 0;
    issuer.outbound_allow = apr_array_make(pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(issuer.outbound_allow, const char *) = "127.0.0.1";
    ck_assert_int_eq(oas_fetch_init(pool), APR_SUCCESS);
    ck_assert_int_eq(oas_posts_create(&posts, pool), APR_SUCCESS);
}

static const char *url_of(const char *path)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d%s", server_port, path);
}

static apr_pool_t *begin(const char *path, void *baton)
{
    const char *why = NULL;
    apr_pool_t *own;

    apr_pool_create(&own, pool);
    ck_assert_int_eq(oas_posts_add(posts, &issuer, url_of(path), BODY, baton, &why, own),
                     APR_SUCCESS);
    return own;
}

static oas_post_result_t outcome_of(const char *path)
{
    apr_time_t until = apr_time_now() + LONG_RUN;
    oas_post_result_t result = {0};

    begin(path, NULL);
    while (!oas_posts_take(posts, &result) && apr_time_now() < until) {
        oas_posts_wait(posts, apr_time_from_sec(1));
    }
    ck_assert_int_eq(oas_posts_count(posts), 0);
    return result;
}

static const struct {
    const char *path;
    apr_status_t status;
    int answer;
} outcomes[] = {
    {"/ok", APR_SUCCESS, 200},     {"/none", APR_SUCCESS, 204},      {"/refused", APR_SUCCESS, 400},
    {"/broken", APR_SUCCESS, 500}, {"/elsewhere", APR_SUCCESS, 302}, {"/again", APR_SUCCESS, 307},
    {"/long", APR_SUCCESS, 200},   {"/garbage", APR_EGENERAL, 0},    {"/closed", APR_EGENERAL, 0},
    {"/interim", APR_TIMEUP, 0},
};

START_TEST(outcome)
{
    oas_post_result_t result = outcome_of(outcomes[_i].path);

    ck_assert_msg(result.status == outcomes[_i].status, "%s: %s", outcomes[_i].path, result.why);
    ck_assert_int_eq(result.answer, outcomes[_i].answer);
    ck_assert_int_eq(visits, 0); /* no redirect was followed */
    ck_assert_int_eq(result.why == NULL, result.status == APR_SUCCESS);
}
END_TEST

START_TEST(address_is_not_allowed)
{
    oas_post_result_t result;

    issuer.outbound_allow = NULL;
    result = outcome_of("/ok");
    ck_assert_int_eq(result.status, APR_EACCES);
    ck_assert_ptr_nonnull(strstr(result.why, "not public"));
}
END_TEST

/* A connection that one issuer may have is not lent to another that may not. */
START_TEST(connections_are_not_shared)
{
    oas_post_result_t result = outcome_of("/kept");

    ck_assert_int_eq(result.answer, 204);
    issuer.outbound_allow = NULL;
    result = outcome_of("/kept");
    ck_assert_int_eq(result.status, APR_EACCES);
}
END_TEST

START_TEST(url_is_refused)
{
    const oas_issuer_t strict = {.url = "https://as.example/"};
    const char *why = NULL;

    ck_assert_int_eq(oas_posts_add(posts, &strict, url_of("/ok"), BODY, NULL, &why, pool),
                     APR_EINVAL);
    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(oas_posts_count(posts), 0);
}
END_TEST

START_TEST(those_that_hang_delay_no_other)
{
    apr_time_t started = apr_time_now();
    int taken[MOST] = {0};
    oas_post_result_t result;
    int i, good = 0, late = 0;

    for (i = 0; i < MOST; i++) {
        begin(i % 2 ? "/ok" : "/hang", &taken[i]);
    }
    ck_assert_int_eq(oas_posts_count(posts), MOST);
    while (oas_posts_count(posts) > 0 && apr_time_now() - started < LONG_RUN) {
        oas_posts_wait(posts, apr_time_from_msec(200));
        while (oas_posts_take(posts, &result)) {
            ++*(int *)result.baton;
            good += result.answer == 200;
            late += result.status == APR_TIMEUP;
            ck_assert(result.answer != 200 || apr_time_now() - started < OAS_POST_TIME);
        }
    }
    ck_assert_int_eq(good, MOST / 2);
    ck_assert_int_eq(late, MOST / 2);
    for (i = 0; i < MOST; i++) {
        ck_assert_int_eq(taken[i], 1);
    }
}
END_TEST

START_TEST(one_is_given_up)
{
    oas_post_result_t result;
    apr_pool_t *own = begin("/hang", NULL);
    apr_pool_t *ended = begin("/ok", NULL);

    while (oas_posts_count(posts) == 2 && posts != NULL) {
        oas_posts_wait(posts, apr_time_from_msec(100));
        apr_pool_destroy(own);
        own = begin("/hang", NULL);
        if (oas_posts_take(posts, &result)) {
            ck_assert_int_eq(result.answer, 200);
        }
    }
    apr_pool_destroy(own);
    apr_pool_destroy(ended);
    ck_assert_int_eq(oas_posts_count(posts), 0);
    /* and one that has ended, but whose result nobody has taken */
    own = begin("/ok", NULL);
    oas_posts_wait(posts, LONG_RUN);
    apr_pool_destroy(own);
    ck_assert_int_eq(oas_posts_take(posts, &result), 0);
    begin("/hang", NULL); /* ends with the pool of all */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch_post");
    TCase *tcase = tcase_create("post");

    tcase_add_checked_fixture(tcase, setup, unit_teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, outcome, 0, sizeof(outcomes) / sizeof(outcomes[0]));
    tcase_add_test(tcase, address_is_not_allowed);
    tcase_add_test(tcase, connections_are_not_shared);
    tcase_add_test(tcase, url_is_refused);
    tcase_add_test(tcase, those_that_hang_delay_no_other);
    tcase_add_test(tcase, one_is_given_up);
    return unit_run(suite);
}
