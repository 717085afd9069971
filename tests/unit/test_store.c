/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store: files appear whole or not at all, under names that hold what they
 * say; what is there already is kept or replaced as asked. */
#include "storetest.h"

#include <signal.h>
#include <sys/resource.h>

static void test_open(void)
{
	struct unik_store *s;

	ok(failed(unik_store_open(&s, "none", false, &err), UNIK_EIO,
		  "can't open 'none'"),
	   "a store that is not there");
	must(mkdir("empty", 0755));
	ok(failed(unik_store_open(&s, "empty", false, &err), UNIK_EBAD,
		  "'empty' is not a store: no 'images' in it"),
	   "a directory that is none");
	put_file("file", "x");
	ok(failed(unik_store_open(&s, "file", true, &err), UNIK_EIO,
		  "can't open 'file': Not a directory"),
	   "a file");
	ok(failed(unik_store_open(&s, "no/such/place", true, &err), UNIK_EIO,
		  "can't make 'no/such/place'"),
	   "a place that is not there");
	ok(failed(unik_store_open(&s, "", true, &err), UNIK_EIO, "can't"),
	   "no name");
	s = open_store("empty");
	ok(names_in("empty") == 4 && strcmp(unik_store_path(s), "empty") == 0,
	   "a directory becomes a store");
	ok(unik_store_dir(s, "images") >= 0 &&
		   unik_store_dir(s, "layers") >= 0 &&
		   unik_store_dir(s, "stacks") >= 0 &&
		   unik_store_dir(s, "refs") >= 0 &&
		   unik_store_dir(s, "other") == -1,
	   "with four directories");
	unik_store_free(s);
	ok(unik_store_open(&s, "empty", false, &err) == 0, "and stays one");
	unik_store_free(s);
	must(rmdir("empty/images"));
	must(symlink("/tmp", "empty/images"));
	ok(failed(unik_store_open(&s, "empty", true, &err), UNIK_EIO,
		  "can't open 'empty/images'"),
	   "a symlink is no directory of a store");
	remove_tree("empty");
	unik_store_free(NULL);
}

static int put(struct unik_store *s, const char *name, const char *text)
{
	return unik_store_put(s, "images", name, text, strlen(text), &err);
}

static void test_put(void)
{
	mode_t old = umask(0777);
	struct unik_store *s;
	struct stat st;

	umask(old);
	s = open_store("st");
	umask(0777);
	ok(put(s, "a", "hello") == 0 && stat("st/images/a", &st) == 0 &&
		   st.st_mode == (S_IFREG | 0444),
	   "a file is there, for everybody to read, whatever the umask");
	umask(old);
	ok(file_has("st/images/a", "hello"), "with its bytes");
	ok(put(s, "a", "hello") == 0, "the same again is fine");
	ok(failed(put(s, "a", "hullo"), UNIK_EBAD,
		  "'a' is there already with other bytes than its name says"),
	   "other bytes are not");
	ok(failed(put(s, "a", "hell"), UNIK_EBAD, "other bytes") &&
		   failed(put(s, "a", "hello!"), UNIK_EBAD, "other bytes") &&
		   failed(put(s, "a", ""), UNIK_EBAD, "other bytes"),
	   "nor shorter or longer ones");
	ok(file_has("st/images/a", "hello"), "what was there stays");
	ok(put(s, "e", "") == 0 && file_has("st/images/e", ""), "no bytes");
	must(symlink("a", "st/images/link"));
	ok(failed(put(s, "link", "hello"), UNIK_EIO, "can't open 'link'"),
	   "a symlink in the place is not followed");
	must(mkdir("st/images/dir", 0755));
	ok(put(s, "dir", "hello") == -1, "a directory in the place");
	must(mkfifo("st/images/fifo", 0644));
	ok(put(s, "fifo", "hello") == -1, "a FIFO there holds up nobody");
	ok(failed(put(s, "no/such", "x"), UNIK_EIO, "'st/images/no/such'"),
	   "a name that is none");
	ok(names_in("st/images") == 5, "no temporary is left");
	unik_store_free(s);
	remove_tree("st");
}

static void test_replace(void)
{
	struct unik_store *s = open_store("st");
	char *bytes;
	size_t n;

	must(unik_store_replace(s, "refs", "r", "one", 3, &err));
	must(unik_store_replace(s, "refs", "r", "two two", 7, &err));
	ok(file_has("st/refs/r", "two two"), "a file is replaced");
	must(symlink("r", "st/refs/l"));
	must(unik_store_replace(s, "refs", "l", "three", 5, &err));
	ok(file_has("st/refs/r", "two two") && file_has("st/refs/l", "three"),
	   "and a symlink, not what it points to");
	must(unik_store_get(s, "refs", "r", 7, &bytes, &n, &err));
	ok(n == 7 && strcmp(bytes, "two two") == 0, "and read");
	free(bytes);
	ok(failed(unik_store_get(s, "refs", "r", 6, &bytes, &n, &err),
		  UNIK_EBAD, "'st/refs/r': more than 6 bytes"),
	   "up to a size");
	ok(unik_store_get(s, "refs", "none", 7, &bytes, &n, &err) == 1,
	   "one that is not there");
	must(symlink("r", "st/refs/s"));
	ok(failed(unik_store_get(s, "refs", "s", 99, &bytes, &n, &err),
		  UNIK_EIO, "can't open 'st/refs/s'"),
	   "a symlink");
	must(mkdir("st/refs/d", 0755));
	ok(failed(unik_store_get(s, "refs", "d", 99, &bytes, &n, &err),
		  UNIK_EIO, "'st/refs/d'"),
	   "a directory");
	ok(names_in("st/refs") == 4, "no temporary is left");
	unik_store_free(s);
	remove_tree("st");
}

static bool link_has(const char *path, const char *target)
{
	char got[200];
	ssize_t n = readlink(path, got, sizeof(got) - 1);

	if (n < 0)
		return false;
	got[n] = 0;
	return strcmp(got, target) == 0;
}

static void test_links(void)
{
	struct unik_store *s = open_store("st");

	must(unik_store_link(s, "layers", "l", "../images/a", &err));
	ok(link_has("st/layers/l", "../images/a"), "a symlink is made");
	must(unik_store_link(s, "layers", "l", "../images/a", &err));
	must(unik_store_link(s, "layers", "l", "../images/b", &err));
	ok(link_has("st/layers/l", "../images/b"), "and replaced");
	must(unik_store_link(s, "layers", "l", "../images/bb", &err));
	ok(link_has("st/layers/l", "../images/bb"), "by a longer one");
	must(unik_store_link(s, "layers", "l", "../images/b", &err));
	ok(link_has("st/layers/l", "../images/b"), "and a shorter one");
	put_file("st/layers/f", "x");
	must(unik_store_link(s, "layers", "f", "../images/b", &err));
	ok(link_has("st/layers/f", "../images/b"), "a file gives way");
	must(mkdir("st/layers/d", 0755));
	ok(failed(unik_store_link(s, "layers", "d", "x", &err), UNIK_EIO,
		  "'st/layers/d': can't rename a symlink"),
	   "a directory does not");
	ok(failed(unik_store_link(s, "layers", "no/such", "x", &err), UNIK_EIO,
		  "can't make 'st/layers/no/such'"),
	   "a name that is none");
	ok(names_in("st/layers") == 3, "no temporary is left");
	unik_store_free(s);
	remove_tree("st");
}

static void test_images(void)
{
	struct unik_store *s = open_store("st");
	struct unik_digest d;
	char name[UNIK_IMAGE_NAME];

	must(unik_sha256("abc", 3, &d, &err));
	ok(strcmp(unik_image_name(&d, "iso", name),
		  "sha256-ba7816bf8f01cfea414140de5dae2223"
		  "b00361a396177a9cb410ff61f20015ad.iso") == 0,
	   "the name of an image");
	must(put(s, "i", "12345"));
	must(symlink("i", "st/images/l"));
	ok(unik_store_has_image(s, "i", 5, &err) == 0, "it is there");
	ok(unik_store_has_image(s, "i", 4, &err) == 1 &&
		   unik_store_has_image(s, "j", 5, &err) == 1 &&
		   unik_store_has_image(s, "l", 5, &err) == 1,
	   "of another size, another name, a symlink: it is not");
	ok(unik_store_sync(s, &err) == 0, "directories are synced");
	unik_store_free(s);
	remove_tree("st");
}

static void test_abandon(void)
{
	struct unik_store *s = open_store("st"), *other;

	unik_store_abandon(s);
	unik_store_free(s);
	ok(names_in("st") == -1, "a new store that is abandoned is gone");
	must(mkdir("st", 0755));
	s = open_store("st");
	unik_store_abandon(s);
	unik_store_free(s);
	ok(names_in("st") == 4, "one whose directory was there is not");
	remove_tree("st");
	s = open_store("st");
	other = open_store("st");
	unik_store_abandon(s);
	unik_store_free(s);
	ok(names_in("st") == 4 && put(other, "a", "x") == 0,
	   "nor one that somebody else uses");
	unik_store_free(other);
	remove_tree("st");
	s = open_store("st");
	must(put(s, "a", "x"));
	unik_store_abandon(s);
	unik_store_free(s);
	s = NULL;
	ok(names_in("st") == 4 && file_has("st/images/a", "x"),
	   "nor one that holds something");
	ok(unik_store_open(&s, "st", false, &err) == 0, "it still is a store");
	unik_store_free(s);
	remove_tree("st");
}

/* A disk that takes N bytes only, for every N. */
static void test_full(void)
{
	static const char text[] = "some forty bytes of text, that is enough";
	struct unik_store *s = open_store("st");
	struct rlimit old, now;
	bool good = true;
	size_t n;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	for (n = 0; n < strlen(text); n++) {
		int a, b;

		now = old;
		now.rlim_cur = n;
		setrlimit(RLIMIT_FSIZE, &now);
		a = put(s, "a", text);
		good &= a == -1 && err.code == UNIK_EIO && err.sys == EFBIG;
		b = unik_store_replace(s, "images", "b", text, strlen(text),
				       &err);
		good &= b == -1 && err.sys == EFBIG;
		setrlimit(RLIMIT_FSIZE, &old);
		good &= names_in("st/images") == 0;
	}
	ok(good, "a file that can't be written whole leaves no trace");
	ok(put(s, "a", text) == 0, "until it can");
	unik_store_free(s);
	remove_tree("st");
}

static void test_temps(void)
{
	struct unik_store *s = open_store("st");
	struct unik_temp t = UNIK_TEMP_NONE;
	int dir = unik_store_dir(s, "images");
	const char *name;
	char *path;

	unik_temp_release(&t);
	must(unik_temp_open(&t, dir, &err));
	ok(unik_temp_is(t.name) && names_in("st/images") == 1,
	   "a temporary has a name of its own");
	must(unik_temp_clean(dir, &err));
	ok(names_in("st/images") == 1, "while it is open it is not cleaned up");
	unik_temp_release(&t);
	ok(names_in("st/images") == 0 && t.fd == -1, "released, it is gone");
	put_file("st/images/.unik-tmp-dead", "x");
	put_file("st/images/.unik-tmpx", "x");
	put_file("st/images/unik-tmp-x", "x");
	must(symlink("nowhere", "st/images/.unik-tmp-link"));
	must(mkfifo("st/images/.unik-tmp-fifo", 0644));
	must(unik_temp_clean(dir, &err));
	ok(names_in("st/images") == 2, "what dead writers left is cleaned up");
	unik_store_free(s);
	remove_tree("st");
	must(mkdir("place", 0755));
	put_file("place/.unik-tmp-dead", "x");
	must(unik_temp_dir("place/image.iso", &dir, &path, &name, &err));
	ok(strcmp(path, "place") == 0 && strcmp(name, "image.iso") == 0 &&
		   names_in("place") == 0,
	   "beside a file that is to be made, too");
	close(dir);
	free(path);
	ok(failed(unik_temp_dir("place/", &dir, &path, &name, &err),
		  UNIK_EUSAGE, "'place/' names no file"),
	   "a path without a name");
	free(path);
	ok(failed(unik_temp_dir("none/x", &dir, &path, &name, &err), UNIK_EIO,
		  "can't open 'none'") && dir == -1,
	   "a directory that is not there");
	free(path);
	remove_tree("place");
}

int main(void)
{
	make_scratch();
	test_open();
	test_put();
	test_replace();
	test_links();
	test_images();
	test_abandon();
	test_full();
	test_temps();
	remove_scratch();
	return tap_done();
}
