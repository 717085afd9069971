/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inspect: what several JSON reports have in common. */
#include "inspect_private.h"

void inspect_json_begin(struct unik_json_out *j, const char *kind)
{
	unik_json_out_init(j);
	unik_json_put_object(j, NULL);
	unik_json_put_string(j, "schema", "unik.inspect.v1");
	unik_json_put_string(j, "kind", kind);
}

void inspect_json_config(struct unik_json_out *j,
			 const struct unik_image_config *c)
{
	unik_json_put_object(j, "config");
	unik_put_strings(j, "entrypoint", &c->entrypoint);
	unik_put_strings(j, "cmd", &c->cmd);
	unik_put_strings(j, "env", &c->env);
	unik_put_strings(j, "labels", &c->labels);
	unik_json_put_string(j, "cwd", c->cwd);
	unik_json_put_string(j, "user", c->user);
	unik_json_put_end(j);
}
