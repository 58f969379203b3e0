"""The resources that queries read, built from the sandbox's state as raw v26 messages."""

from collections.abc import Iterator
from typing import Any

from sandbox.google_ads.adjustments import settle_waiting
from sandbox.google_ads.diagnostics import DAILY_SUMMARIES_DAYS, Counts, Summary
from sandbox.google_ads.error_names import NewName, Request
from sandbox.google_ads.error_names import Query as QueryError
from sandbox.google_ads.failures import Refused, Status
from sandbox.google_ads.fields import LEGACY_LEADS_FIELD, LEGACY_LEADS_TRUE, Catalog, predicate
from sandbox.google_ads.gaql import bad_query, parse
from sandbox.google_ads.installed import ads_enums
from sandbox.google_ads.seed import Action, Customer
from sandbox.google_ads.state import State

SEARCH_PAGE_ROWS = 10_000  # "fixed page size of 10,000 rows" of GoogleAdsService.Search


class Resources:
    """Answers queries. Hold the state's lock while calling."""

    def __init__(self, state: State) -> None:
        from google.ads.googleads.v26.errors.types import errors
        from google.ads.googleads.v26.services.types import google_ads_service
        from google.protobuf import field_mask_pb2

        self._state = state
        self._row = google_ads_service.GoogleAdsRow.pb()
        self._mask = field_mask_pb2.FieldMask
        self._catalog = Catalog(self._row.DESCRIPTOR)
        self._codes = errors.ErrorCode.pb().DESCRIPTOR.fields_by_name
        self._builders = {
            "customer": self._customers,
            "conversion_action": self._actions,
            "offline_conversion_upload_client_summary": self._client_summaries,
            "offline_conversion_upload_conversion_action_summary": self._action_summaries,
        }

    def search(self, version: str, customer: Customer, text: str) -> tuple[list[Any], list[str]]:
        """The rows (only with the selected fields and the resource name) and the field mask. Raises `Refused`."""
        query = parse(text)
        build = self._builders.get(query.resource)
        if build is None:
            raise bad_query(QueryError.BAD_RESOURCE_TYPE_IN_FROM_CLAUSE, query.resource)
        fields = [self._catalog.find(name, query.resource, version) for name in query.select]
        tests = [
            predicate(self._catalog.find(condition.field, query.resource, version), condition)
            for condition in query.where
        ]
        settle_waiting(self._state)
        rows = [row for row in build(customer) if all(test(row) for test in tests)]
        for name, descending in reversed(query.order_by):
            rows.sort(key=self._catalog.find(name, query.resource, version).read, reverse=descending)
        mask = self._mask(paths=[field.mask for field in fields if field.steps] + [f"{query.resource}.resource_name"])
        legacy = LEGACY_LEADS_FIELD in query.select and customer.enhanced_conversions
        return [self._selected(row, mask, legacy=legacy) for row in rows[: query.limit]], list(query.select)

    def _selected(self, row: Any, mask: Any, *, legacy: bool) -> Any:
        selected = self._row()
        mask.MergeMessage(row, selected)
        if legacy:
            selected.customer.conversion_tracking_setting.MergeFromString(LEGACY_LEADS_TRUE)
        return selected

    def _base(self, customer: Customer) -> Any:
        row, enums = self._row(), ads_enums()
        target = row.customer
        target.resource_name = f"customers/{customer.customer_id}"
        target.id = int(customer.customer_id)
        target.descriptive_name = customer.name
        target.currency_code = customer.currency
        target.time_zone = customer.time_zone
        target.manager = customer.is_manager
        target.test_account = customer.test_account
        target.status = enums.customer_status.number(customer.status)
        target.auto_tagging_enabled = True
        tracking = target.conversion_tracking_setting
        tracking.conversion_tracking_id = int(customer.conversion_customer_id)
        tracking.accepted_customer_data_terms = customer.terms_accepted
        tracking.google_ads_conversion_customer = f"customers/{customer.conversion_customer_id}"
        own = customer.conversion_customer_id == customer.customer_id
        owner = "SELF" if own else "ANOTHER_MANAGER"
        tracking.conversion_tracking_status = enums.tracking_status.number(f"CONVERSION_TRACKING_MANAGED_BY_{owner}")
        setting = enums.enhanced_conversions.number("ON" if customer.enhanced_conversions else "OFF")
        tracking.enablement_setting = tracking.effective_enablement_setting = setting
        return row

    def _customers(self, customer: Customer) -> Iterator[Any]:
        yield self._base(customer)

    def _actions(self, customer: Customer) -> Iterator[Any]:
        owners = (customer.customer_id, customer.conversion_customer_id)
        for action in self._state.actions.values():
            if action.customer_id in owners:
                row = self._base(customer)
                _fill_action(row.conversion_action, action, customer)
                yield row

    def _client_summaries(self, customer: Customer) -> Iterator[Any]:
        summary = self._state.diagnostics.account(customer.customer_id)
        if summary is not None:
            row = self._base(customer)
            target = row.offline_conversion_upload_client_summary
            target.resource_name = (
                f"customers/{customer.customer_id}/offlineConversionUploadClientSummaries/GOOGLE_ADS_API"
            )
            self._fill_summary(target, summary, customer)
            target.success_rate = summary.counts.successful / summary.counts.total
            target.pending_rate = summary.counts.pending / summary.counts.total
            yield row

    def _action_summaries(self, customer: Customer) -> Iterator[Any]:
        for action_id, summary in self._state.diagnostics.actions(customer.customer_id).items():
            row = self._base(customer)
            target = row.offline_conversion_upload_conversion_action_summary
            head = f"customers/{customer.customer_id}/offlineConversionUploadConversionActionSummaries"
            target.resource_name = f"{head}/{action_id}~GOOGLE_ADS_API"
            target.conversion_action_id = int(action_id)
            target.conversion_action_name = self._state.actions[action_id].name
            self._fill_summary(target, summary, customer)
            yield row

    def _fill_summary(self, target: Any, summary: Summary, customer: Customer) -> None:
        enums = ads_enums()
        target.client = enums.upload_client.number("GOOGLE_ADS_API")
        target.status = enums.upload_status.number(summary.status(self._state.clock.epoch()))
        target.total_event_count = summary.counts.total
        target.successful_event_count = summary.counts.successful
        target.pending_event_count = summary.counts.pending
        last = self._state.local_time(customer, summary.last_upload)
        target.last_upload_date_time = last.strftime("%Y-%m-%d %H:%M:%S")
        for day in sorted(summary.by_day)[-DAILY_SUMMARIES_DAYS:]:
            entry = target.daily_summaries.add(upload_date=day)
            _fill_counts(entry, summary.by_day[day])
        for job_id, counts in summary.by_job.items():
            entry = target.job_summaries.add(job_id=job_id)
            _fill_counts(entry, counts)
        families = (
            type(target)
            .DESCRIPTOR.fields_by_name["alerts"]
            .message_type.fields_by_name["error"]
            .message_type.fields_by_name
        )
        for name, count in summary.errors.most_common():
            if name.family in families:  # internal errors have no place in the diagnostics
                alert = target.alerts.add(error_percentage=count / summary.counts.total)
                values = self._codes[name.family].enum_type.values_by_name
                number = name.number if isinstance(name, NewName) else values[name.name].number
                setattr(alert.error, name.family, number)


def check_page(page_size: int, page_token: str) -> None:
    """Search has one page of fixed size here. Raises `Refused` for a size or a token."""
    if page_size:
        raise Refused.of(Status.INVALID_ARGUMENT, Request.PAGE_SIZE_NOT_SUPPORTED, "page_size")
    if page_token:
        raise Refused.of(Status.INVALID_ARGUMENT, Request.INVALID_PAGE_TOKEN, "page_token")


def _fill_counts(entry: Any, counts: Counts) -> None:
    entry.successful_count, entry.failed_count, entry.pending_count = counts.successful, counts.failed, counts.pending


def _fill_action(target: Any, action: Action, customer: Customer) -> None:
    enums = ads_enums()
    target.resource_name = f"customers/{action.customer_id}/conversionActions/{action.action_id}"
    target.id = int(action.action_id)
    target.name = action.name
    target.owner_customer = f"customers/{action.customer_id}"
    target.type_ = enums.action_type.number(action.type)
    target.status = enums.action_status.number(action.status)
    target.category = enums.action_category.number(action.category)
    target.counting_type = enums.counting_type.number(action.counting_type)
    target.click_through_lookback_window_days = action.click_through_lookback_window_days
    target.primary_for_goal = target.include_in_conversions_metric = action.primary_for_goal
    target.value_settings.default_value = action.default_value
    target.value_settings.default_currency_code = action.currency or customer.currency
    target.value_settings.always_use_default_value = action.always_use_default_value
