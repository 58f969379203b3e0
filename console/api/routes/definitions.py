"""Definitions: named, versioned rules that are assigned to sites. They belong to all sites."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Path, Query

from console.api import problems
from console.api.calls import Answer, Call
from console.api.operations import PREFIX, Routes
from console.api.pages import LIMIT, After, Limit, Page, page_of, read_after
from console.api.parameters import Search
from console.api.rights import of_all_sites, of_some_site
from console.api.routes import revisions as shown_revisions
from console.api.routes.revisions import CONFIG, NOON, DefinitionRevision
from console.api.routes.sites import Reason
from console.api.sparse import Fields, chosen, names_of, sparse
from console.api.translation import placed
from custom_events.access.roles import Role
from custom_events.catalog import definition_lists, definitions, revisions
from custom_events.catalog.configurations import to_plain
from custom_events.catalog.definition_lists import Uses
from custom_events.catalog.revisions import Current
from custom_events.queries.revisions import DEFINITIONS
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.numbers import MAX_ID

ROUTES: Final = Routes("definitions", "Named, versioned rules: what makes a custom event, and what it is worth.")

Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{1,62}$", description="A definition's key.")]
State = Literal["draft", "published", "retired"]
Sort = Literal["key", "-key", "name", "-name", "id", "-id"]
_KINDS: Final[dict[str, tuple[type, ...]]] = {"key": (str,), "name": (str, int), "id": (int,)}


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A named rule. `published` applies on every site that has it assigned; `draft` is the newest revision while it is one. State:
    draft until something was published, then published, or retired: nothing of it applies. `uses` counts the sites that you see."""

    id: int
    key: str
    name: str
    description: str
    is_system: bool
    state: State
    published_number: int | None
    newest_number: int
    uses: Uses
    published: DefinitionRevision | None
    draft: DefinitionRevision | None
    created_at: datetime
    updated_at: datetime


class NewDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A definition to be made. `key` names it in files and here, and never changes."""

    key: str
    name: str
    config: DefinitionConfig
    description: str = ""
    reason: str = ""


class DefinitionReplacement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be changed of a definition; what is not given has its default."""

    name: str
    config: DefinitionConfig
    description: str = ""
    reason: str = ""


ConfigChanges = msgspec.defstruct(
    "ConfigChanges",
    [(field.name, field.type | msgspec.UnsetType, msgspec.UNSET) for field in msgspec.structs.fields(DefinitionConfig)],
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
)


class DefinitionChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change of a definition; the rest stays, also within `config`, setting by setting."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    config: ConfigChanges | msgspec.UnsetType = msgspec.UNSET  # pyright: ignore[reportInvalidTypeForm]
    reason: str = ""


EXAMPLE: Final = Definition(
    id=7,
    key="big_order",
    name="Big order",
    description="Orders that are worth a call",
    is_system=False,
    state="published",
    published_number=1,
    newest_number=2,
    uses=Uses(assignments=3, active=2, sites=2),
    published=msgspec.structs.replace(
        shown_revisions.DEFINITION_EXAMPLE,
        number=1,
        state="published",
        config=msgspec.structs.replace(CONFIG, priority=0),
        published_by="bea@example.org",
        published_at=NOON,
    ),
    draft=shown_revisions.DEFINITION_EXAMPLE,
    created_at=NOON,
    updated_at=NOON,
)
_NEW = {"key": "big_order", "name": "Big order", "config": {"trigger": ["order.paid"]}, "reason": "first try"}


@ROUTES.get(
    "/definitions",
    right=of_some_site(Role.VIEWER),
    answer=Page[sparse(Definition)],
    example=Page(items=(EXAMPLE,), next=None),
)
def list_definitions(
    call: Call,
    search: Search = None,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    is_system: Annotated[
        bool | None, Query(description="Only those that ship with the product, or the others.")
    ] = None,
    site_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only those that this site has.")] = None,
    sort: Annotated[Sort, Query(description="By what they are sorted; with - the other way round.")] = "key",
    limit: Limit = LIMIT,
    after: After = None,
    fields: Fields = None,
) -> Page[Any]:
    """The definitions, which belong to all sites.

    `search` finds a part of the key, the name or the description.
    """
    names = names_of(fields, Definition)
    by = sort.removeprefix("-")
    if site_id is not None and not call.caller.may(Role.VIEWER, site_id):
        return Page(items=(), next=None)  # as for a site that there is not
    listed = definition_lists.search(
        call.connection,
        text=search,
        state=state,
        is_system=is_system,
        assigned_to=site_id,
        sort=by,
        descending=sort.startswith("-"),
        after=read_after(after, sort, _KINDS[by]),
        limit=limit + 1,
    )
    show = _shower(call, listed[:limit])
    return page_of(
        listed,
        limit,
        sort,
        lambda definition: definition_lists.keys(definition, by),
        lambda definition: chosen(show(definition), names),
    )


@ROUTES.post(
    "/definitions",
    right=of_all_sites(Role.EDITOR),
    status=201,
    answer=Definition,
    example=EXAMPLE,
    body_example=_NEW,
    tagged=True,
    raises=(problems.CONFLICT,),
)
def create_definition(call: Call, body: NewDefinition) -> Answer:
    """Make a definition with its first revision as a draft. It applies once that is published and the definition is assigned."""
    with placed("config", DefinitionConfig):
        made = definitions.create(
            call.connection,
            key=body.key,
            name=body.name,
            config=body.config,
            author=call.actor,
            description=body.description,
            reason=body.reason,
        )
    return Answer(content=shown(call, made), of=made, location=f"{PREFIX}/definitions/{made.key}")


@ROUTES.get(
    "/definitions/{definition_key}",
    right=of_some_site(Role.VIEWER),
    answer=Definition,
    example=EXAMPLE,
    tagged=True,
)
def read_definition(call: Call, definition_key: Key) -> Answer:
    """One definition, with what applies and what is drafted."""
    return _answer(call, definitions.get(call.connection, definition_key))


@ROUTES.patch(
    "/definitions/{definition_key}",
    right=of_all_sites(Role.EDITOR),
    answer=Definition,
    example=EXAMPLE,
    body_example={"name": "Big order", "config": {"priority": 1}, "reason": "goes before the others"},
    tagged=True,
)
def change_definition(call: Call, definition_key: Key, body: DefinitionChanges) -> Answer:
    """Change what is given. Names change at once; settings become a draft made from the newest revision, and apply once it is published.

    Each setting that is given takes the place of the old one; the others stay.
    """
    old = _current(call, definition_key, body)
    config: dict[str, Any] | None = None
    if body.config is not msgspec.UNSET:
        newest = revisions.newest(call.connection, DEFINITIONS, old.id)
        config = {**(newest.payload if newest is not None else {}), **msgspec.to_builtins(body.config)}
    return _changed(call, definition_key, body, config)


@ROUTES.put(
    "/definitions/{definition_key}",
    right=of_all_sites(Role.EDITOR),
    answer=Definition,
    example=EXAMPLE,
    body_example={"name": "Big order", "config": {"trigger": ["order.paid"], "priority": 1}},
    tagged=True,
)
def replace_definition(call: Call, definition_key: Key, body: DefinitionReplacement) -> Answer:
    """Replace all that can be changed; settings become a draft, and those that are not given have their default in it."""
    _current(call, definition_key, body)
    return _changed(call, definition_key, body, to_plain(body.config))


@ROUTES.post(
    "/definitions/{definition_key}/retire",
    right=of_all_sites(Role.PUBLISHER),
    answer=Definition,
    example=msgspec.structs.replace(EXAMPLE, state="retired", published_number=None, published=None),
    body_example=Reason(reason="not needed any more"),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def retire_definition(call: Call, definition_key: Key, body: Reason) -> Answer:
    """Archive it: nothing of it applies any more, on no site. What it made stays; restoring brings it back."""
    definitions.retire(call.connection, definition_key, by=call.actor, reason=body.reason)
    return _answer(call, definitions.get(call.connection, definition_key))


@ROUTES.post(
    "/definitions/{definition_key}/restore",
    right=of_all_sites(Role.PUBLISHER),
    answer=Definition,
    example=EXAMPLE,
    body_example=Reason(reason="it is needed after all"),
    tagged=True,
    raises=(problems.CONFLICT,),
)
def restore_definition(call: Call, definition_key: Key, body: Reason) -> Answer:
    """What was published last applies again, as a new revision; it is a draft where a second person has to publish it."""
    with placed("config", DefinitionConfig):
        definitions.restore(call.connection, definition_key, by=call.actor, reason=body.reason)
    return _answer(call, definitions.get(call.connection, definition_key))


@ROUTES.delete(
    "/definitions/{definition_key}",
    right=of_all_sites(Role.EDITOR),
    raises=(problems.CONFLICT, problems.IN_USE),
)
def delete_definition(call: Call, definition_key: Key) -> None:
    """Remove a definition that is assigned nowhere and of which nothing ever applied; others are retired."""
    definitions.delete(call.connection, definition_key, by=call.actor)


def shown(call: Call, definition: definitions.Definition) -> Definition:
    """A definition as the API shows it to the caller."""
    return _shower(call, [definition])(definition)


def _shower(call: Call, listed: Sequence[definitions.Definition]) -> Any:
    """A function that shows each of these, of which revisions and uses are read at once."""
    ids = [definition.id for definition in listed]
    current = revisions.current(call.connection, DEFINITIONS, ids)
    uses = definition_lists.uses(call.connection, ids, only=call.caller.sites())

    def show(definition: definitions.Definition) -> Definition:
        now = current.get(definition.id, Current())
        return Definition(
            **msgspec.structs.asdict(definition),
            uses=uses.get(definition.id, Uses()),
            published=shown_revisions.of_definition(now.published) if now.published is not None else None,
            draft=shown_revisions.of_definition(now.draft) if now.draft is not None else None,
        )

    return show


def _answer(call: Call, definition: definitions.Definition) -> Answer:
    return Answer(content=shown(call, definition), of=definition)


def _current(call: Call, key: str, yours: msgspec.Struct) -> definitions.Definition:
    """The definition under a lock, as the caller read it. Raises 412."""
    definition = definitions.get(call.connection, key, lock=True)
    call.check_precondition(definition, shown(call, definition), yours=yours)
    return definition


def _changed(
    call: Call, key: str, body: DefinitionChanges | DefinitionReplacement, config: dict[str, Any] | None
) -> Answer:
    with placed("config", DefinitionConfig):
        changed = definitions.change(
            call.connection,
            key,
            author=call.actor,
            name=None if body.name is msgspec.UNSET else body.name,
            description=None if body.description is msgspec.UNSET else body.description,
            config=config,
            reason=body.reason,
        )
    return _answer(call, changed)
