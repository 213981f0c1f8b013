# SPDX-License-Identifier: GPL-2.0-only
"""The part of JSON Schema that the schemas of this tree use."""


def conforms(value, schema, root, where="value"):
    """Gives where value does not conform, or None."""
    kinds = {"object": dict, "array": list, "string": str, "null": type(None),
             "boolean": bool}
    if "$ref" in schema:
        return conforms(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    if "anyOf" in schema:
        misfits = [conforms(value, s, root, where) for s in schema["anyOf"]]
        # The one that goes deepest is the one that was meant.
        return None if None in misfits else max(misfits, key=len)
    if "const" in schema and value != schema["const"]:
        return where
    if "enum" in schema and value not in schema["enum"]:
        return where
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(isinstance(value, int) if t == "integer" else
                   isinstance(value, (int, float)) if t == "number" else
                   isinstance(value, kinds[t]) for t in types):
            return where
    if isinstance(value, int) and value < schema.get("minimum", value):
        return where
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                return where + "." + name
        for name, inner in value.items():
            if "properties" in schema and name not in schema["properties"]:
                return where + "." + name
            misfit = conforms(inner, schema.get("properties", {}).get(name, {}), root,
                              where + "." + name)
            if misfit:
                return misfit
    if isinstance(value, list):
        for i, inner in enumerate(value):
            misfit = conforms(inner, schema.get("items", {}), root, "%s[%d]" % (where, i))
            if misfit:
                return misfit
    return None
