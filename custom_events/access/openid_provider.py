"""The OpenID provider of the installation: where it is (discovery), its keys, and what it says of who signs in.

OpenID Connect Core 1.0 with the authorization code, PKCE (RFC 7636, S256), state, nonce and the issuer in the answer (RFC 9207), by
Authlib. What it says is believed only as an ID token that is signed by one of its keys, for us, now, and for this very sign-in.
"""

import time
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from custom_events.errors import InvalidConfiguration, NotAdmitted, NotFound, Transient
from custom_events.settings import Settings, variable_of
from custom_events.values.hosts import is_local

SCOPES: Final = "openid email profile"
CALLBACK: Final = "/api/v1/sessions/openid/callback"
# Signatures by a key pair: with those by a shared secret whoever knows the client's secret could be anybody.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
KEPT_S: Final = 3_600.0  # where the provider is; its keys are asked for again whenever one is not known
LEEWAY_S: Final = 120  # its clock and ours may differ by this
RETRY_AFTER_S: Final = 5.0


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in under way: what the provider is told, and must say again."""

    state: str
    nonce: str
    verifier: str
    until_s: float


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """Who has signed in. `email`: one that the provider has verified, lower case; `roles`: what stands in the claim of roles."""

    issuer: str
    subject: str
    email: str | None
    name: str | None
    roles: tuple[str, ...]


class Provider:
    """The provider of the settings. Asks it for as little as may be; may be used by several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: dict[str, Any] = {}
        self._read_at = 0.0

    @property
    def is_configured(self) -> bool:
        """Whether there is one."""
        return self._settings.openid_issuer is not None

    @property
    def callback(self) -> str:
        """Where the provider sends people back to: what has to be registered there."""
        return self._settings.console_url.rstrip("/") + CALLBACK

    def authorization_url(self, flow: Flow) -> str:
        """Where somebody says to the provider who they are. Raises NotFound without a provider, Transient when it does not answer."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._read()["authorization_endpoint"],
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
            )
        return str(url)

    def logout_url(self, back_to: str) -> str | None:
        """Where the provider's own session is ended (OpenID Connect RP-Initiated Logout 1.0); None where it has no such place."""
        endpoint = self._read().get("end_session_endpoint") if self.is_configured else None
        if endpoint is None:
            return None
        parameters = {"client_id": self._settings.openid_client_id, "post_logout_redirect_uri": back_to}
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"

    def claims(self, flow: Flow, code: str, issuer: str | None) -> Claims:
        """Who has signed in, for the code that the provider sent with them; `issuer` as it stood beside the code.

        Raises NotAdmitted for whatever is not to be believed, Transient when the provider does not answer.
        """
        from authlib.integrations.base_client import OAuthError
        from joserfc.errors import JoseError
        from requests import RequestException

        metadata = self._read()
        names_issuer = metadata.get("authorization_response_iss_parameter_supported")
        if issuer != metadata["issuer"] and (names_issuer or issuer is not None):
            raise _refused("it came from another provider")
        try:
            with self._client() as client:
                token = client.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=flow.verifier,
                    timeout=self._settings.openid_timeout_s,
                )
                claims = self._verified(token, flow)
                wanted = {"email", self._settings.openid_role_claim or "email"}
                if wanted - claims.keys() and "userinfo_endpoint" in metadata:
                    claims = _with_user_info(claims, client.get(metadata["userinfo_endpoint"], timeout=self._timeout_s))
        except RequestException:
            raise _silent() from None
        except OAuthError as error:
            raise _refused(f"it says {error.error}") from None
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _refused(f"what it sent cannot be believed ({type(error).__name__})") from None
        return self._claims(claims)

    @property
    def _timeout_s(self) -> float:
        return self._settings.openid_timeout_s

    def _client(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self._settings.openid_client_secret
        return OAuth2Session(
            client_id=self._settings.openid_client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            scope=SCOPES,
            redirect_uri=self.callback,
            code_challenge_method="S256",
        )

    def _read(self) -> Mapping[str, Any]:
        """Where the provider's parts are, as it says; read again after a while. Raises NotFound, InvalidConfiguration, Transient."""
        from authlib.oidc.discovery import get_well_known_url

        issuer = self._checked_issuer()
        with self._lock:
            if not self._metadata or time.monotonic() - self._read_at > KEPT_S:
                metadata = self._get(get_well_known_url(issuer, external=True))
                lacking = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - metadata.keys()
                if metadata.get("issuer") != issuer or lacking:
                    raise InvalidConfiguration(
                        f"what is there calls itself {metadata.get('issuer')!r}; set it to just that, where you trust it",
                        path=variable_of("openid_issuer"),
                    )
                self._metadata, self._keys, self._read_at = metadata, {}, time.monotonic()
            return self._metadata

    def _checked_issuer(self) -> str:
        issuer = self._settings.openid_issuer
        if issuer is None:
            raise NotFound(f"There is no OpenID provider: {variable_of('openid_issuer')} names one.", what="provider")
        place = urlsplit(issuer)
        if place.scheme != "https" and not is_local(place.hostname or ""):
            raise InvalidConfiguration("an https address is needed", path=variable_of("openid_issuer"))
        if self._settings.openid_client_id is None:
            raise InvalidConfiguration("the provider's name for us is needed", path=variable_of("openid_client_id"))
        return issuer

    def _get(self, url: str) -> dict[str, Any]:
        import requests

        try:
            answer = requests.get(url, timeout=self._timeout_s)
            answer.raise_for_status()
            document: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError):
            raise _silent() from None
        return document

    def _verified(self, token: Mapping[str, Any], flow: Flow) -> dict[str, Any]:
        """The claims of the ID token. Raises JoseError for one that is not to be believed."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        try:
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(self._key_set()), registry=registry)
        except InvalidKeyIdError:  # they have changed
            decoded = jwt.decode(token["id_token"], KeySet.import_key_set(self._key_set(new=True)), registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._metadata["issuer"]},
                "aud": {"essential": True, "value": self._settings.openid_client_id},
            },
            {
                "nonce": flow.nonce,
                "client_id": self._settings.openid_client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_S)
        return dict(claims)

    def _key_set(self, *, new: bool = False) -> Any:
        with self._lock:
            if new or not self._keys:
                self._keys = self._get(self._metadata["jwks_uri"])
            return self._keys

    def _claims(self, claims: Mapping[str, Any]) -> Claims:
        email, name = claims.get("email"), claims.get("name")
        listed = claims.get(self._settings.openid_role_claim or "", ())
        roles = (listed,) if isinstance(listed, str) else listed if isinstance(listed, list | tuple) else ()
        return Claims(
            issuer=claims["iss"],
            subject=claims["sub"],
            email=email.strip().lower() if isinstance(email, str) and claims.get("email_verified") is True else None,
            name=name if isinstance(name, str) else None,
            roles=tuple(str(role) for role in roles),
        )


def _with_user_info(claims: dict[str, Any], answer: Any) -> dict[str, Any]:
    """With what the provider tells only when asked, if it is of the same person."""
    answer.raise_for_status()
    user_info: dict[str, Any] = answer.json()
    return {**user_info, **claims} if user_info.get("sub") == claims["sub"] else claims


def _refused(why: str) -> NotAdmitted:
    return NotAdmitted(f"The OpenID provider did not sign you in: {why}. Begin again.")


def _silent() -> Transient:
    return Transient("The OpenID provider does not answer: try again.", retry_after_s=RETRY_AFTER_S)
