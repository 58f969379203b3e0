"""What is wrong with a catalog as a whole: fields, conditions, names that lead nowhere, settings that do not fit each other.

The same checks as before a change is published (`effective_config`, `sites.problems`, `ads.account_problems`), all of them at once and
without a database.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import msgspec

from custom_events.catalog import ads, sites
from custom_events.catalog.conflicts import TIE_REMEDY, Name, ties
from custom_events.catalog.definitions import KEY, KEY_RULE
from custom_events.catalog.effective_config import Named, action_problems, effective_problems, named
from custom_events.catalog.files.documents import (
    AccountFile,
    ActionEntry,
    AssignmentEntry,
    Catalog,
    DefinitionFile,
    Kind,
    SiteFile,
)
from custom_events.catalog.files.folder import ENDING, file_of
from custom_events.catalog.reading import nearest
from custom_events.conditions.problems import Problem, Severity, join
from custom_events.matching.checks import config_problems
from custom_events.matching.effective import effective
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.values.definitions import DefinitionConfig

Located = tuple[str, Problem]  # the file's name, and what is wrong in it


def check(catalog: Catalog, unread: Collection[str] = ()) -> list[Located]:
    """Everything that is wrong, by file. Definitions that ship with the product are known without a file; what is in the files
    of `unread` is not asked for."""
    actions = actions_of(catalog)
    configs = configs_of(catalog)
    findings: list[Located] = []
    for customer_id, account in catalog.accounts.items():
        findings += ((file_of(Kind.ACCOUNT, customer_id), problem) for problem in _account(customer_id, account))
    of_definitions: dict[
        str, Named
    ] = {}  # what is wrong with each definition, and is not said again of its assignments
    for key, definition in catalog.definitions.items():
        problems = list(_definition(key, definition, actions))
        of_definitions[key] = named(problems)
        findings += ((file_of(Kind.DEFINITION, key), problem) for problem in problems)
    missing = {name.removesuffix(ENDING) for name in unread}
    names = {*configs, *(name.partition("/")[2] for name in missing if name.startswith(Kind.DEFINITION))}
    domains = Counter(site.shop_domain.lower() for site in catalog.sites.values() if site.shop_domain is not None)
    for site_key, site in catalog.sites.items():
        problems = [
            *_site(site_key, site, domains),
            *_assignments(site, names, configs, of_definitions, actions),
            *_ties(catalog, site),
        ]
        findings += ((file_of(Kind.SITE, site_key), problem) for problem in problems)
    if any(name.startswith(Kind.ACCOUNT) for name in missing):  # then nobody knows which actions there are
        return [located for located in findings if not located[1].path.endswith("ads_action")]
    return findings


def actions_of(catalog: Catalog) -> dict[str, ActionEntry]:
    """Every conversion action by `<customer id>/<action id>`."""
    return {
        f"{customer_id}/{action_id}": action
        for customer_id, account in catalog.accounts.items()
        for action_id, action in account.actions.items()
    }


def configs_of(catalog: Catalog) -> dict[str, DefinitionConfig]:
    """The settings of every definition: those of the files, and those that ship with the product."""
    shipped = {key: definition.config for key, definition in SYSTEM_DEFINITIONS.items()}
    return shipped | {key: definition.config for key, definition in catalog.definitions.items()}


def applying(catalog: Catalog, site: SiteFile) -> dict[Name, DefinitionConfig]:
    """The effective configurations that are published and active on a site."""
    configs = configs_of(catalog)
    return {
        entry.name: effective(configs[entry.definition], entry.overrides)
        for entry in site.assignments
        if _applies(catalog, entry) and entry.definition in configs
    }


def _applies(catalog: Catalog, entry: AssignmentEntry) -> bool:
    known = catalog.definitions.get(entry.definition)  # without a file: as it ships, so published
    return entry.active and entry.published and (known is None or known.published)


def _ties(catalog: Catalog, site: SiteFile) -> Iterator[Problem]:
    places = {entry.name: place for place, entry in enumerate(site.assignments)}
    for tie in ties(applying(catalog, site)):
        path = f"assignments[{places[tie.second]}].priority"
        yield Problem(path=path, wrong=str(tie), right=TIE_REMEDY, severity=Severity.WARNING)


def _account(customer_id: str, account: AccountFile) -> Iterator[Problem]:
    if "-" in customer_id:
        yield Problem(path="", wrong="the file's name has dashes", right=f"{customer_id.replace('-', '')}.yaml")
    if account.login_customer_id is not None and "-" in account.login_customer_id:
        right = f"digits only: {account.login_customer_id.replace('-', '')}"
        yield Problem(path="login_customer_id", wrong="it has dashes", right=right)
    settings = msgspec.structs.asdict(account)
    actions = settings.pop("actions")
    for problem in ads.account_problems({"customer_id": customer_id, **settings}):
        yield _of_name(problem, "customer_id")
    for action_id, action in actions.items():
        for problem in ads.action_problems({"action_id": action_id, **msgspec.structs.asdict(action)}):
            yield _below(join("actions", action_id), _of_name(problem, "action_id"))


def _definition(key: str, definition: DefinitionFile, actions: Mapping[str, ActionEntry]) -> Iterator[Problem]:
    if not KEY.match(key):
        yield Problem(path="", wrong=f'the file\'s name gives the key "{key}"', right=KEY_RULE)
    if not definition.name.strip():
        yield Problem(path="name", wrong="it is empty", right="a name for people")
    problems = config_problems(definition.config)
    yield from problems
    if not any(problem.path == "ads_action" for problem in problems):
        yield from action_problems(definition.config, actions)


def _site(site_key: str, site: SiteFile, domains: Mapping[str, int]) -> Iterator[Problem]:
    columns = {name: getattr(site, name) for name in ("name", "shop_domain", "currency", "time_zone", "settings")}
    for problem in sites.problems({"site_key": site_key, **columns}, site.platform):
        yield _of_name(problem, "site_key")
    if site.shop_domain is not None and site.shop_domain != site.shop_domain.strip().lower():
        yield Problem(path="shop_domain", wrong="it has capitals or space", right=site.shop_domain.strip().lower())
    if site.shop_domain is not None and domains[site.shop_domain.lower()] > 1:
        yield Problem(path="shop_domain", wrong="another site has it, too", right="each site has a domain of its own")


def _assignments(
    site: SiteFile,
    known: Collection[str],
    configs: Mapping[str, DefinitionConfig],
    of_definitions: Mapping[str, Named],
    actions: Mapping[str, ActionEntry],
) -> Iterator[Problem]:
    names = Counter(entry.name for entry in site.assignments)
    for place, entry in enumerate(site.assignments):
        here = f"assignments[{place}]"
        if not entry.label.strip():
            right = "a label: it tells assignments of one definition apart"
            yield Problem(path=f"{here}.label", wrong="it is empty", right=right)
        if names[entry.name] > 1:
            wrong = f'"{entry.definition}" labelled "{entry.label}" stands here {names[entry.name]} times'
            yield Problem(path=here, wrong=wrong, right="labels that differ")
        if entry.definition not in known:
            right = nearest(entry.definition, tuple(sorted(known)))
            yield Problem(path=f"{here}.definition", wrong=f'there is no definition "{entry.definition}"', right=right)
        elif entry.definition in configs:
            of_definition = of_definitions.get(entry.definition, frozenset())
            yield from _whole(here, entry, configs[entry.definition], of_definition, actions, site)


def _whole(
    here: str,
    entry: AssignmentEntry,
    definition: DefinitionConfig,
    of_definition: Named,
    actions: Mapping[str, ActionEntry],
    site: SiteFile,
) -> Iterator[Problem]:
    problems = effective_problems(
        definition,
        entry.overrides,
        actions,
        currencies=(site.currency,) if site.currency is not None else (),
        platform=site.platform,
        of_definition=of_definition,
    )
    yield from (_below(here, problem) for problem in problems)


def _below(here: str, problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, path=f"{here}.{problem.path}" if problem.path else here)


def _of_name(problem: Problem, field: str) -> Problem:
    """A problem of the key, which is the file's name (of an action: its entry's)."""
    return msgspec.structs.replace(problem, path="") if problem.path == field else problem
