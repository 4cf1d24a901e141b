"""Which events follow from what the journal says of a port and from the port as it is, as a table."""

import msgspec
import pytest

from gluon.nova import events
from gluon.objects import codec, journal
from gluon.spi import notices

PORT, SERVER = "9b4c2f0e-7a51-4a43-8d5e-0f4e7b1f0001", "5d2a6c10-0a3b-4b7e-9c77-3f9d1c2b0002"
WAS = notices.Notice(id=PORT, device_id=SERVER, device_owner="compute:nova", status="DOWN", host="a")


def was(**more: str) -> notices.Notice:
    return msgspec.structs.replace(WAS, **more)


def now(**more: object) -> notices.Use:
    facts = {"id": PORT, "device_id": SERVER, "device_owner": "compute:nova", "status": "DOWN", "host": "a"}
    return msgspec.convert({**facts, **more}, notices.Use)


def entry(old: notices.Notice | None, new: notices.Notice | None) -> journal.Entry:
    return journal.Entry(
        revision=1, n=0, op=journal.Operation.DELETE if new is None else journal.Operation.UPDATE, api=journal.GLUON,
        type=notices.PORT, key=PORT, project=None, who="", request_id="", intent=False, at="2030-01-01T00:00:00.000000",
        old=None if old is None else codec.encode(old), new=None if new is None else codec.encode(new),
    )  # fmt: skip


def short(made: object) -> list[str]:
    """`plugged`, `plugged failed` and so on."""
    names = {n.value: n.name.lower() for n in events.Name}
    told = []
    for event in made:  # type: ignore[attr-defined]
        assert (event.server_uuid, event.tag) == (SERVER, PORT)
        told.append(names[event.name] + (" failed" if event.status == "failed" else ""))
    return told


ACTIVE, ERROR, BUILD = ({"status": word} for word in ("ACTIVE", "ERROR", "BUILD"))
CASES: dict[str, tuple[notices.Notice | None, notices.Notice | None, notices.Use | None, list[str]]] = {
    "traffic flows": (was(), was(**ACTIVE), now(**ACTIVE), ["plugged", "changed"]),
    "it flows at once": (was(**BUILD), was(**ACTIVE), now(**ACTIVE), ["plugged", "changed"]),
    "it flowed, and stopped before we came": (was(), was(**ACTIVE), now(), []),
    "it stopped": (was(**ACTIVE), was(), now(), ["unplugged"]),
    "it stopped, and flows again": (was(**ACTIVE), was(), now(**ACTIVE), []),
    "the port moves to another host": (was(**ACTIVE), was(**BUILD, host="b"), now(**BUILD, host="b"), ["unplugged"]),
    "a bind fails, which its request says": (was(**BUILD), was(**ERROR), now(**ERROR), []),
    "it fails later": (was(), was(**ERROR), now(**ERROR), ["plugged failed"]),
    "it failed while it worked": (was(**ACTIVE), was(**ERROR), now(**ERROR), ["plugged failed"]),
    "it failed, and works again": (was(), was(**ERROR), now(**ACTIVE), []),
    "the port went": (was(), None, None, ["deleted"]),
    "it went and came again": (was(), None, now(), []),
    "it went after another use": (was(device_owner="network:dhcp"), None, None, []),
    "another server has it by now": (was(), was(**ACTIVE), now(**ACTIVE, device_id=PORT), []),
    "nobody has it by now": (was(), was(**ACTIVE), None, []),
    "no server of Nova": (was(), was(**ACTIVE), now(**ACTIVE, device_owner="baremetal:none"), []),
    "the target is ready": (was(**ACTIVE), was(**ACTIVE, plugged="b"), now(**ACTIVE, plugged=["b"]), ["plugged"]),
    "it is not ready any more": (was(**ACTIVE), was(**ACTIVE, plugged="b"), now(**ACTIVE), []),
    "it carries the traffic by now": (was(), was(plugged="b"), now(**ACTIVE, host="b"), ["plugged"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_nova_is_told(case: str) -> None:
    old, new, there, wanted = CASES[case]
    assert short(events.told(entry(old, new), there)) == wanted


def test_a_device_that_is_no_server_is_not_told() -> None:
    """One id that is no UUID, and Nova refuses all events of the request."""
    device = "vm-17"
    use = now(**ACTIVE, device_id=device)
    told = events.told(entry(was(device_id=device), was(device_id=device, **ACTIVE)), use)
    assert [*told, *events.changed(use), *events.looked(use)] == []
    assert events.told(entry(was(device_id=device), None), None) == []


def test_other_addresses_are_told_and_a_port_that_is_looked_at() -> None:
    assert short(events.changed(now())) == ["changed"]
    assert short(events.changed(None)) == []
    assert short(events.looked(now(**ACTIVE))) == ["plugged", "changed"]
    assert short(events.looked(now())) == []
    assert short(events.looked(now(plugged=["b"]))) == ["plugged"]


def test_an_event_is_written_as_nova_takes_it() -> None:
    plugged, changed = events.active(now(**ACTIVE))
    assert codec.decode(codec.encode([plugged, changed])) == [
        {"name": "network-vif-plugged", "server_uuid": SERVER, "tag": PORT, "status": "completed"},
        {"name": "network-changed", "server_uuid": SERVER, "tag": PORT},
    ]


def test_events_are_told_once() -> None:
    plugged, changed = events.active(now(**ACTIVE))
    assert events.sent([plugged, changed, plugged]) == [plugged, changed]


def test_the_end_of_a_port_is_told_around_a_change() -> None:
    (deleted,) = events.told(entry(was(), None), None)
    assert short(events.sent([deleted, deleted])) == ["deleted", "changed", "deleted"]
