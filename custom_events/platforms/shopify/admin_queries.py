"""What we ask Shopify's GraphQL Admin API, by name (API version 2026-10).

Money is asked for in the shop's currency alone. `ORDER_FIELDS` is the payload of our Events subscription as well (`plugins/shopify/shopify.app.toml`):
what is understood of an order is the same, whoever sends it.
"""

from typing import Final

API_VERSION: Final = "2026-10"  # of our webhooks, our questions and the app's settings
LINES_AT_ONCE: Final = (
    50  # of an order; more are read page by page, so that one question stays below Shopify's 1,000 points
)
REFUNDS_AT_ONCE: Final = 10  # of an order, for the same bound; a list of refunds has no pages

_MONEY = "{ shopMoney { amount currencyCode } }"

ORDER_FIELDS: Final = f"""
id legacyResourceId name createdAt updatedAt processedAt cancelledAt closedAt cancelReason test email phone currencyCode
displayFinancialStatus displayFulfillmentStatus taxesIncluded paymentGatewayNames discountCodes tags sourceName statusPageUrl
customerAcceptsMarketing
totalPriceSet {_MONEY} currentTotalPriceSet {_MONEY} subtotalPriceSet {_MONEY} totalTaxSet {_MONEY} totalDiscountsSet {_MONEY}
totalShippingPriceSet {_MONEY} totalOutstandingSet {_MONEY} totalTipReceivedSet {_MONEY}
customAttributes {{ key value }}
customerJourneySummary {{ ready firstVisit {{ landingPage referrerUrl }} lastVisit {{ landingPage referrerUrl }} }}
customer {{
  id createdAt updatedAt tags defaultEmailAddress {{ emailAddress marketingState }} defaultPhoneNumber {{ phoneNumber }}
  defaultAddress {{ phone zip countryCodeV2 }}
}}
billingAddress {{ phone zip countryCodeV2 }}
shippingAddress {{ phone zip countryCodeV2 }}
shippingLines(first: 10) {{ nodes {{ title originalPriceSet {_MONEY} discountedPriceSet {_MONEY} taxLines {{ priceSet {_MONEY} }} }} }}
lineItems(first: {LINES_AT_ONCE}) {{
  nodes {{ ...LineFields }}
  pageInfo {{ hasNextPage endCursor }}
}}
fulfillments(first: 10) {{ createdAt status }}
refunds(first: {REFUNDS_AT_ONCE}) {{
  id createdAt note
  transactions(first: 5) {{ nodes {{ id kind status test amountSet {_MONEY} }} }}
  refundLineItems(first: 20) {{ nodes {{ quantity lineItem {{ id }} subtotalSet {_MONEY} totalTaxSet {_MONEY} }} pageInfo {{ hasNextPage }} }}
  orderAdjustments(first: 5) {{ nodes {{ id reason amountSet {_MONEY} taxAmountSet {_MONEY} }} }}
  refundShippingLines(first: 5) {{ nodes {{ subtotalAmountSet {_MONEY} taxAmountSet {_MONEY} }} }}
  duties {{ amountSet {_MONEY} }}
}}
"""

LINE_FIELDS: Final = f"""
fragment LineFields on LineItem {{
  id sku title vendor quantity currentQuantity
  originalUnitPriceSet {_MONEY} discountAllocations {{ allocatedAmountSet {_MONEY} }} taxLines {{ priceSet {_MONEY} }}
  product {{ legacyResourceId }} variant {{ legacyResourceId }} customAttributes {{ key value }} sellingPlan {{ name }}
}}
"""

# Orders that changed, oldest change first, a page of them: enough to see which of them we lack.
CHANGED_ORDERS: Final = f"""
query ChangedOrders($first: Int!, $after: String, $query: String!) {{
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {{
    nodes {{
      id legacyResourceId name createdAt updatedAt cancelledAt test displayFinancialStatus displayFulfillmentStatus
      totalPriceSet {_MONEY} currentTotalPriceSet {_MONEY} totalRefundedSet {_MONEY}
      refunds(first: {REFUNDS_AT_ONCE}) {{ id }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""

# One order, as an event's payload has it.
ORDER: Final = f"query Order($id: ID!) {{ order(id: $id) {{ {ORDER_FIELDS} }} }}\n{LINE_FIELDS}"

# The lines of an order behind the first page.
ORDER_LINES: Final = f"""
query OrderLines($id: ID!, $after: String!) {{
  order(id: $id) {{ lineItems(first: {LINES_AT_ONCE}, after: $after) {{ nodes {{ ...LineFields }} pageInfo {{ hasNextPage endCursor }} }} }}
}}
{LINE_FIELDS}"""

# Which scopes the shop has given, who it is, and in which currency and zone it counts.
INSTALLATION: Final = """
query Installation {
  currentAppInstallation { accessScopes { handle } }
  shop { name myshopifyDomain currencyCode ianaTimezone }
}
"""

# Webhooks that the app made in this shop; those of its own settings file are not listed.
WEBHOOKS: Final = """
query Webhooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri format includeFields filter apiVersion { handle } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CREATE_WEBHOOK: Final = """
mutation CreateWebhook($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) { webhookSubscription { id } userErrors { field message } }
}
"""

UPDATE_WEBHOOK: Final = """
mutation UpdateWebhook($id: ID!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) { webhookSubscription { id } userErrors { field message } }
}
"""

DELETE_WEBHOOK: Final = """
mutation DeleteWebhook($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

# The pixel of the app in this shop: Shopify answers an error where there is none.
PIXEL: Final = "query Pixel { webPixel { id settings } }"

CREATE_PIXEL: Final = """
mutation CreatePixel($settings: JSON!) {
  webPixelCreate(webPixel: { settings: $settings }) { webPixel { id settings } userErrors { field message } }
}
"""

UPDATE_PIXEL: Final = """
mutation UpdatePixel($id: ID!, $settings: JSON!) {
  webPixelUpdate(id: $id, webPixel: { settings: $settings }) { webPixel { id settings } userErrors { field message } }
}
"""
