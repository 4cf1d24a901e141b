"""The part of `check` that judges roles: each once, and of the type that the engines expect."""

from __future__ import annotations

from collections.abc import Mapping

from gluon.model import resolve
from gluon.model.fieldtypes import NEW, WORDS, word
from gluon.model.problems import Problems
from gluon.model.types import AttributeType, Format, Role

_TEXT = ("string",)
_ID = ("uuid", "string")
_CHOICE = ("enum", "string")
_NUMBER = tuple(w.name for w in WORDS[NEW].values() if w.type is AttributeType.INTEGER)

TAKES: Mapping[Role, tuple[str, ...]] = {
    Role.PROJECT: _ID,
    Role.NAME: _TEXT,
    Role.PORT: ("uuid", "reference"),
    Role.INTERFACE: ("uuid", "reference"),
    Role.SERVICE: ("uuid", "reference"),
    Role.HOST: _TEXT,
    Role.DEVICE: _ID,
    Role.DEVICE_OWNER: _TEXT,
    Role.MAC: (Format.MAC,),
    Role.STATUS: _CHOICE,
    Role.VNIC_TYPE: _CHOICE,
    Role.PROFILE: (Format.JSON,),
    Role.VIF_TYPE: _TEXT,
    Role.VIF_DETAILS: (Format.JSON,),
    Role.SEGMENTATION_TYPE: _CHOICE,
    Role.SEGMENTATION_ID: _NUMBER,
}
"""Role → the types that its attribute may have."""


def check(object_type: resolve.ObjectType, model: resolve.Model, problems: Problems) -> None:
    """Note roles that two attributes play, or one of a type that the engines cannot use."""
    seen: dict[str, str] = {}
    for name, attribute in object_type.attributes.items():
        merged = attribute.merged
        if merged.role is None or merged.role.value not in set(Role):
            continue
        role = Role(merged.role.value)
        where = f"attribute {name} of {object_type.name}"
        first = seen.setdefault(role, name)
        if first != name:
            problems.add(
                merged.role.mark,
                f"{where}: {first} plays the role {role} already",
                "each role is played once",
            )
        if merged.type is None or (
            merged.type.value not in model.types and merged.type.value not in WORDS[NEW]
        ):
            continue
        given = "reference" if merged.type.value in model.types else merged.type.value
        if merged.format and word(NEW, given).type is AttributeType.STRING:
            given = merged.format.value
        if given not in TAKES[role]:
            wanted = " or ".join(TAKES[role]) if role is not Role.SEGMENTATION_ID else "an integer type"
            wanted = wanted.replace("reference", "an object type")
            here = merged.role.mark.file == merged.type.mark.file
            problems.add(
                merged.role.mark if here else merged.type.mark,
                f"{where}: type {merged.type.value} cannot play the role {role}",
                f"it takes {wanted}",
            )
