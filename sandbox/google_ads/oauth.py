"""The token endpoint: gives out access tokens, or says that the grant is gone."""

from sandbox.google_ads.fault_answers import refusal
from sandbox.google_ads.faults import TOKEN_METHOD, FaultKind
from sandbox.google_ads.state import State

TOKEN_PATH = "/token"
TOKEN_LIFE_S = 3600
_INVALID_GRANT: tuple[int, dict[str, object]] = (
    400,
    {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
)


def answer_token_request(state: State) -> tuple[int, dict[str, object]]:
    """Status and JSON body for any grant: a fresh bearer token, invalid_grant, or an armed fault of `token`."""
    with state.changing():
        state.requests[TOKEN_METHOD] += 1
        if state.grant_revoked:
            return _INVALID_GRANT
        fault = state.faults.draw(TOKEN_METHOD)
        if fault is not None and fault.kind is FaultKind.INVALID_GRANT:
            return _INVALID_GRANT
        refused = None if fault is None else refusal(fault)
        if refused is not None:
            return 503, {"error": "temporarily_unavailable", "error_description": refused.message}
        token = state.issue_token()
    return 200, {"access_token": token, "expires_in": TOKEN_LIFE_S, "token_type": "Bearer"}
