"""The reference page of the language, made of its tables: every part, key and type, and what they take.

Called by the writer of `docs/reference/model.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gluon.model import keywords
from gluon.model.fieldtypes import LIST_ITEMS, NEW, OLD, STRING_LENGTH, WORDS
from gluon.model.keywords import Key, Keys, Reads

_HEAD = f"""# The model language

A model is a YAML file, or the files of one folder. `file_version: "{NEW}"` says in which version of the language it is written;
`"{OLD}"` is that of the first Gluon, whose files load unchanged. Keys that {OLD} has are marked. `gluon model check` tells
what is wrong, where, and the cure; `gluon model schema` prints the same table for editors.

```yaml
file_version: "{NEW}"
imports: base-{NEW}

info: {{name: shop, version: "1.0"}}

pools:
  vnis: {{type: vni, ranges: [10000-19999]}}

objects:
  Port: {{extends: BasePort, api: {{name: port}}}}
  Interface: {{extends: BaseInterface, api: {{name: interface}}}}
  Network:
    extends: BaseService
    api: {{name: network}}
    attributes:
      vni: {{type: vni, pool: vnis, immutable: true, unique: global}}
      prefixes: {{type: list, items: {{type: cidr}}, default: []}}
```
"""

_MEMBER, _ITEM = (", ".join(f"`{key}`" for key in keys) for keys in (keywords.MEMBER, keywords.ITEM))
_ATTRIBUTES = f"""Under `attributes`, by name. These keys every type takes. Members of nested objects, and what actions take and give,
have {_MEMBER} of them, items of lists and maps {_ITEM}. An item is not nullable unless it says so."""

_PARTS: tuple[tuple[str, str, Keys], ...] = (
    ("The file", "At the top level.", keywords.TOP),
    ("`info`", "", keywords.INFO),
    ("`info.author`", "", keywords.AUTHOR),
    ("Object types", "Under `objects`, by name. Attributes, pools, actions and policies of a base are inherited by name; checks, unique groups and hooks are added to those of the base.", keywords.OBJECT),
    ("`api`", "", keywords.API),
    ("Attributes", _ATTRIBUTES, keywords.COMMON),
    ("`policies` of an attribute", "Rules in the language of oslo.policy, asked beside those of the object type. An unchanged value may always be sent back.", keywords.ATTRIBUTE_POLICIES),
    ("Keys of some types", "Which type takes which is in the table of types.", keywords.OF_TYPES),
    ("`unique`", "A list of groups. A group is a list of attributes, which is unique within a project, or a mapping:", keywords.UNIQUE),
    ("`checks`", "A list of rules, written as in [expressions](expressions.md).", keywords.CHECK),
    ("`pools`", "By name, at the top level or in an object type.", keywords.POOL),
    ("`actions`", "By name: `POST …/<key>/<name>`. Their policies have their names.", keywords.ACTION),
    ("`versions`", "By version, in the model that is stored: the objects of the others are made of its own, at the edge of the API. Each other version has a file of its own with the same name. A version that cannot be turned back is read only.", keywords.VERSION),
    ("`types` of a version", "By the name that the object type has there.", keywords.VERSION_TYPE),
    ("`attributes` of a version", "By the name that the attribute has there: the name here, or a mapping:", keywords.ORIGIN),
    ("`hooks`", "Lists of names of entry points of the group `gluon.hooks`.", keywords.HOOKS),
    ("`neutron`", "Names of attributes, or paths such as `subnets.cidr`; a list where there are several.", keywords.NEUTRON),
)  # fmt: skip

_READS = {
    Reads.TEXT: "text",
    Reads.TEXTS: "list of texts",
    Reads.ONE_OR_MORE: "text, or list of texts",
    Reads.BOOLEAN: "`true`, `false`",
    Reads.INTEGER: "integer",
    Reads.NUMBER: "number",
    Reads.VALUE: "a value of the type",
    Reads.PART: "mapping",
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *(line for part in _PARTS for line in _part(*part)), *_types(), *_texts()])


def _part(title: str, about: str, keys: Keys) -> Iterator[str]:
    yield f"## {title}\n"
    if about:
        yield f"{about}\n"
    yield "| Key | Takes | What it says | 1.0 |"
    yield "|---|---|---|---|"
    for key in keys.rows.values():
        yield f"| `{key.name}` | {_takes(key)} | {key.about} | {'yes' if key.since == OLD else ''} |"
    yield ""


def _takes(key: Key) -> str:
    if key.values:
        return ", ".join(f"`{value}`" for value in key.values)
    return _SPECIAL.get(key.name, _READS[key.reads])


_SPECIAL = {
    "unique": "list", "checks": "list", "examples": "list of bodies", "items": "an attribute", "type": "name of a type",
}  # fmt: skip


def _types() -> Iterator[str]:
    yield "## Types\n"
    yield "The name of an object type is a type too: a reference, whose value is the key of an object."
    yield "It takes `on_delete` and `listed_as`.\n"
    yield "| Type | Values | Keys | 1.0 |"
    yield "|---|---|---|---|"
    for word in WORDS[NEW].values():
        keys = ", ".join(f"`{key}`" for key in word.keys)
        yield f"| `{word.name}` | {word.about} | {keys} | {'yes' if word.name in WORDS[OLD] else ''} |"
    yield ""


def _texts() -> Iterator[str]:
    yield "## Good to know\n"
    yield f"* A string without `length` has {STRING_LENGTH} characters at most, a list or map without `max_items` {LIST_ITEMS:,} items."
    yield "* An attribute that a create leaves out takes its default, else a value of its pool, else null."
    yield "* `required` without a default or a pool must be given. Null is refused where the attribute is required or has a default, unless `nullable` says otherwise."
    yield "* A pool fills attributes of the object itself, not items or members. `pool: service_id.addresses` takes from the pool `addresses` of the object that `service_id` refers to."
    yield "* A list with a pool is given nothing: each item that a body names is taken from the pool, which must have it free, and is free again once it is in the list no more."
    yield "* YAML reads `no`, `on` and `010` in its own way. Where a text is wanted, the loader takes what is written; in defaults and examples write such texts in quotes."
    yield ""
