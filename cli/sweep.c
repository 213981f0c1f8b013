// SPDX-License-Identifier: GPL-2.0-only
/* What a sweep is made of: policies, costs, files; and the results it ends in. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "exit.h"
#include "output.h"
#include "sweep.h"
#include "sweep_columns.h"

static int no_memory(void)
{
	return cli_fail(EXIT_SOFTWARE, "not enough memory");
}

/* The array with room for one more; what is in it may point into itself and is not moved. */
static int add_policy(struct sweep *s, char *text)
{
	struct sweep_policy *p = &s->policies[s->nr_policies];

	if (!text)
		return no_memory();
	for (size_t i = 0; i < s->nr_policies; i++) {
		if (!strcmp(s->policies[i].text, text)) {
			free(text);
			return EXIT_OK;
		}
	}
	memset(p, 0, sizeof(*p));
	p->text = text;
	s->nr_policies++;
	p->automatic = !strncmp(text, "auto", 4) && (!text[4] || text[4] == '+');
	return p->automatic ? EXIT_OK : policy_option_choose(&p->chosen, text, NULL, NULL);
}
