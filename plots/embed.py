#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Turn files into C strings: embed.py OUTPUT.c FILE... gives vgic_plot_embedded(name)."""
import os
import sys


def literal(line):
    text = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").rstrip("\n")
    return '\t"%s\\n"\n' % text


def main(output, files):
    with open(output, "w", encoding="utf-8") as out:
        out.write("// SPDX-License-Identifier: GPL-2.0-only\n#include <string.h>\n"
                  '#include "internal.h"\n\n'
                  "static const struct {\n\tconst char *name, *text;\n} files[] = {\n")
        for path in files:
            out.write('{ "%s",\n' % os.path.basename(path))
            with open(path, encoding="utf-8") as source:
                out.writelines(literal(line) for line in source)
            out.write("},\n")
        out.write("};\n\nconst char *vgic_plot_embedded(const char *name)\n{\n"
                  "\tfor (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)\n"
                  "\t\tif (!strcmp(files[i].name, name))\n\t\t\treturn files[i].text;\n"
                  "\treturn NULL;\n}\n")


main(sys.argv[1], sys.argv[2:])
