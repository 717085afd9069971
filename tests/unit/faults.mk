# SPDX-License-Identifier: GPL-3.0-or-later
# The tests in which the k-th call of a function fails (faults.h).
WRAPPED := malloc calloc realloc aligned_alloc strdup strndup free \
	unik_arena_alloc unik_arena_text \
	EVP_MD_CTX_new EVP_DigestInit_ex EVP_DigestUpdate EVP_DigestFinal_ex \
	ZSTD_createDCtx lzma_stream_decoder BZ2_bzDecompressInit \
	inflateInit2_ pthread_create fdopendir pread64 pwrite64 pwritev64 \
	read write open64 openat64 mkostemp64 fstat64 stat64 fstatat64 ftruncate64 fsync \
	fallocate64 fstatfs64 fchmod flock linkat renameat symlinkat mkdir \
	mkdirat getrandom

$(B)/tests/test_faults%: $(B)/tests/unit/test_faults%.o $(STATIC)
	$(CC) $(ALL_LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(PKG_LIBS)
