"""API keys, by which programs use the API: made and shown once, listed, revoked."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.rights import of_all_sites
from custom_events.access import api_keys
from custom_events.access.api_keys import ApiKey
from custom_events.access.roles import Grant, Role
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("API keys", "By which programs use the API. Shown once, when they are made.")

ApiKeyId = Annotated[int, Path(ge=1, le=MAX_ID, description="An API key's id.")]
Sort = Literal["id", "-id", "created_at", "-created_at"]
MANAGE: Final = of_all_sites(Role.ADMINISTRATOR)


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key to be made. `name`: what it is for; `person_id`: whom it belongs to, than whom it never may more; null: nobody."""

    name: str
    grants: tuple[Grant, ...]
    person_id: int | None = None
    expires_at: datetime | None = None


class MadeApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A new key. `key` is what programs send, shown now and never again."""

    api_key: ApiKey
    key: str


_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
_EXAMPLE: Final = ApiKey(
    id=9,
    prefix="ce_1f0c6c1e",
    name="nightly export",
    person_id=None,
    owner=None,
    made_by="ana@example.org",
    grants=(Grant(role=Role.VIEWER, site_id=3),),
    expires_at=datetime(2027, 11, 30, tzinfo=UTC),
    last_used_at=_NOON,
    revoked_at=None,
    created_at=_NOON,
    updated_at=_NOON,
)


@ROUTES.get("/api-keys", right=MANAGE, answer=Page[ApiKey], example=Page(items=(_EXAMPLE,), next=None))
def list_api_keys(
    call: Call,
    good: Annotated[bool | None, Query(description="Only those that can be used, or only the others.")] = None,
    sort: Annotated[Sort, Query(description="By what they are sorted; with - the other way round.")] = "id",
    limit: Limit = LIMIT,
    after: After = None,
) -> Page[ApiKey]:
    """All keys, revoked and expired ones too; by their beginning, not what they are."""
    by = sort.removeprefix("-")
    keys = api_keys.page(
        call.connection,
        good=good,
        sort=by,
        descending=sort.startswith("-"),
        after=read_after(after, sort, (int,) if by == "id" else (datetime, int)),
        limit=limit + 1,
    )
    return page_of(
        keys, limit, sort, lambda key: (key.id,) if by == "id" else (key.created_at, key.id), lambda key: key
    )


@ROUTES.post(
    "/api-keys",
    right=MANAGE,
    status=201,
    answer=MadeApiKey,
    example=MadeApiKey(api_key=_EXAMPLE, key="ce_1f0c6c1e_shown-now-and-never-again"),
    body_example=NewApiKey(name="nightly export", grants=(Grant(role=Role.VIEWER),)),
)
def make_api_key(call: Call, body: NewApiKey) -> Answer:
    """Make a key; the answer shows it this once."""
    made, key = api_keys.make(
        call.connection,
        name=body.name,
        grants=body.grants,
        person_id=body.person_id,
        expires_at=body.expires_at,
        actor=call.actor,
    )
    return Answer(content=MadeApiKey(api_key=made, key=key), location=f"{PREFIX}/api-keys/{made.id}")


@ROUTES.get("/api-keys/{api_key_id}", right=MANAGE, answer=ApiKey, example=_EXAMPLE)
def read_api_key(call: Call, api_key_id: ApiKeyId) -> ApiKey:
    """One key, by its beginning; not what it is."""
    return api_keys.get(call.connection, api_key_id)


@ROUTES.post(
    "/api-keys/{api_key_id}/revoke",
    right=MANAGE,
    answer=ApiKey,
    example=msgspec.structs.replace(_EXAMPLE, revoked_at=_NOON),
)
def revoke_api_key(call: Call, api_key_id: ApiKeyId) -> ApiKey:
    """The key is good no longer, at once; also the one by which this is asked."""
    return api_keys.revoke(call.connection, api_key_id, actor=call.actor)
