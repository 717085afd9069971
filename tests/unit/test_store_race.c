/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store: many writers at once, and writers that die. */
#include "storetest.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 6, ROUNDS = 150 };

static struct unik_store *shared;

struct worker {
	int index;
	int bad;
	char msg[200];
};

static void note(struct worker *w, int rc, const struct unik_err *e)
{
	if (rc != 0 && w->bad++ == 0)
		snprintf(w->msg, sizeof(w->msg), "%.190s", e->msg);
}

static bool run(void *(*body)(void *), const char *what)
{
	struct worker w[THREADS] = { { 0 } };
	pthread_t threads[THREADS];
	bool good = true;
	int i;

	for (i = 0; i < THREADS; i++) {
		w[i].index = i;
		must(pthread_create(&threads[i], NULL, body, &w[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (w[i].bad)
			printf("# %s\n", w[i].msg);
		good &= w[i].bad == 0;
	}
	return ok(good, "%s", what);
}

/* All put the same bytes under the same names. */
static void *same_puts(void *arg)
{
	struct worker *w = arg;
	struct unik_err e;
	char name[32];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		sprintf(name, "same-%d", i);
		note(w, unik_store_put(shared, "images", name, name,
				       strlen(name), &e), &e);
	}
	return NULL;
}

/* All put other bytes under the same names: one wins, the others are told. */
static int winners[ROUNDS];

static void *other_puts(void *arg)
{
	struct worker *w = arg;
	struct unik_err e;
	char name[32], text[32];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int rc;

		sprintf(name, "other-%d", i);
		sprintf(text, "%d", w->index);
		rc = unik_store_put(shared, "images", name, text, strlen(text),
				    &e);
		if (rc == 0)
			__atomic_add_fetch(&winners[i], 1, __ATOMIC_SEQ_CST);
		else
			note(w, e.code == UNIK_EBAD ? 0 : rc, &e);
	}
	return NULL;
}

/* Replaced all the time, a file is always one of what it may be. */
static void *replaces(void *arg)
{
	static const char *const texts[] = { "short", "a longer text", "x" };
	struct worker *w = arg;
	struct unik_err e;
	char *got;
	size_t n;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		const char *text = texts[i % 3];
		int rc;

		if (w->index & 1) {
			note(w, unik_store_replace(shared, "refs", "r", text,
						   strlen(text), &e), &e);
			note(w, unik_store_link(shared, "layers", "l", text,
						&e), &e);
			continue;
		}
		rc = unik_store_get(shared, "refs", "r", 99, &got, &n, &e);
		note(w, rc, &e);
		if (rc == 0) {
			w->bad += strcmp(got, texts[0]) != 0 &&
				  strcmp(got, texts[1]) != 0 &&
				  strcmp(got, texts[2]) != 0;
			free(got);
		}
	}
	return NULL;
}

/* Stores are opened, and so cleaned up, while others write. */
static void *opens(void *arg)
{
	struct worker *w = arg;
	struct unik_err e;
	char name[32];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct unik_store *s;
		int rc;

		sprintf(name, "own-%d-%d", w->index, i);
		if (w->index & 1) {
			note(w, unik_store_put(shared, "stacks", name, name,
					       strlen(name), &e), &e);
			sprintf(name, "%d", i);
			note(w, unik_store_link(shared, "layers", "m", name,
						&e), &e);
			continue;
		}
		rc = unik_store_open(&s, "st", true, &e);
		note(w, rc, &e);
		if (rc == 0)
			unik_store_free(s);
	}
	return NULL;
}

/* Made, used and abandoned all the time. */
static void *comes_and_goes(void *arg)
{
	struct worker *w = arg;
	struct unik_err e;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct unik_store *s;
		int rc = unik_store_open(&s, "brief", true, &e);

		note(w, rc, &e);
		if (rc != 0)
			continue;
		unik_store_abandon(s);
		unik_store_free(s);
	}
	return NULL;
}

static void test_threads(void)
{
	bool good = true;
	int i;

	shared = open_store("st");
	run(same_puts, "the same bytes from six threads at once");
	ok(names_in("st/images") == ROUNDS, "each name once, no temporary");
	run(other_puts, "other bytes from six threads at once");
	for (i = 0; i < ROUNDS; i++)
		good &= winners[i] == 1;
	ok(good && names_in("st/images") == 2 * ROUNDS,
	   "just one of the six had each name");
	must(unik_store_replace(shared, "refs", "r", "short", 5, &err));
	run(replaces, "replaced by three, read by three");
	run(opens, "written by three, opened and cleaned by three");
	ok(names_in("st/stacks") == 3 * ROUNDS && names_in("st/refs") == 1 &&
		   names_in("st/layers") == 2,
	   "everything is there, and nothing else");
	unik_store_free(shared);
	remove_tree("st");
	run(comes_and_goes, "a store that comes and goes");
	remove_tree("brief");
}

/* ---- writers that die ---- */

/* A child that holds a temporary with some bytes; it says so on the pipe. */
static pid_t writer(const char *store, int *from)
{
	int p[2];
	pid_t pid;

	must(pipe(p));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct unik_temp t = UNIK_TEMP_NONE;
		struct unik_store *s;

		if (unik_store_open(&s, store, true, &err) == 0 &&
		    unik_temp_open(&t, unik_store_dir(s, "images"), &err) ==
			    0 &&
		    unik_write_all(t.fd, "half", 4, &err) == 0 &&
		    write(p[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(p[1]);
	*from = p[0];
	return pid;
}

static void test_kill(void)
{
	struct unik_store *s;
	pid_t first, second;
	int a, b, status;
	char c;

	s = open_store("st");
	unik_store_free(s);
	first = writer("st", &a);
	second = writer("st", &b);
	ok(read(a, &c, 1) == 1 && read(b, &c, 1) == 1 &&
		   names_in("st/images") == 2,
	   "two writers hold a temporary each");
	s = open_store("st");
	ok(names_in("st/images") == 2, "nobody cleans up after the living");
	unik_store_free(s);
	kill(first, SIGKILL);
	waitpid(first, &status, 0);
	ok(names_in("st/images") == 2, "one that is killed leaves its own");
	s = open_store("st");
	ok(names_in("st/images") == 1, "the next to come removes just that");
	unik_store_free(s);
	kill(second, SIGKILL);
	waitpid(second, &status, 0);
	ok(unik_store_open(&s, "st", false, &err) == 0 &&
		   names_in("st/images") == 1,
	   "who only reads removes nothing");
	unik_store_free(s);
	s = open_store("st");
	ok(names_in("st/images") == 0, "who writes does");
	unik_store_free(s);
	close(a);
	close(b);
	remove_tree("st");
}

/* ---- the lock ---- */

/* A child that, once told, locks the store and says so.  It is made before the
 * parent opens the store, whose lock it would share. */
static pid_t locker(int *from, int *to)
{
	int up[2], down[2];
	pid_t pid;

	must(pipe(up));
	must(pipe(down));
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct unik_store *s;
		char c;

		close(down[1]);
		if (read(down[0], &c, 1) == 1 &&
		    unik_store_open(&s, "st", false, &err) == 0 &&
		    unik_store_lock(s, &err) == 0 && write(up[1], "x", 1) == 1)
			(void)!read(down[0], &c, 1);
		_exit(0);
	}
	close(up[1]);
	close(down[0]);
	*from = up[0];
	*to = down[1];
	return pid;
}

static bool silent(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 50) == 0;
}

static void *open_later(void *arg)
{
	struct unik_err e;
	struct unik_store *s;

	if (unik_store_open(&s, "st", true, &e) == 0) {
		(void)!write(*(int *)arg, "x", 1);
		unik_store_free(s);
	}
	return NULL;
}

static void test_lock(void)
{
	pthread_t thread;
	int from, to, p[2], status;
	pid_t pid = locker(&from, &to);
	struct unik_store *s = open_store("st");
	char c;

	(void)!write(to, "x", 1);
	ok(silent(from), "a lock waits while others have the store open");
	unik_store_free(s);
	ok(read(from, &c, 1) == 1, "and no longer");
	must(pipe(p));
	must(pthread_create(&thread, NULL, open_later, &p[1]));
	ok(silent(p[0]), "whoever opens it waits for the lock");
	close(to);
	waitpid(pid, &status, 0);
	ok(read(p[0], &c, 1) == 1, "and no longer");
	pthread_join(thread, NULL);
	close(from);
	close(p[0]);
	close(p[1]);
	remove_tree("st");
}

int main(void)
{
	make_scratch();
	test_threads();
	test_kill();
	test_lock();
	remove_scratch();
	return tap_done();
}
