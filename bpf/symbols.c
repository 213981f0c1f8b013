// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "symbols.h"

int vgic_symbols_find(struct symbol *symbols, size_t n)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char *line = NULL;
	size_t room = 0, i;

	if (!f)
		return -errno;
	for (i = 0; i < n; i++)
		symbols[i].address = symbols[i].count = 0;
	while (getline(&line, &room, f) > 0) {
		char *name, *end;
		uint64_t address = strtoull(line, &end, 16);

		/* "ADDRESS TYPE NAME" and, for modules, "\t[MODULE]" */
		if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
			continue;
		name = end + 3;
		name[strcspn(name, "\t\n")] = '\0';
		for (i = 0; i < n; i++) {
			if (*name == *symbols[i].name && !strcmp(name, symbols[i].name)) {
				symbols[i].address = address;
				symbols[i].count++;
			}
		}
	}
	free(line);
	fclose(f);
	return 0;
}
