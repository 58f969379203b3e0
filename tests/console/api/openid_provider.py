"""A real OpenID provider in this process, on a port of its own: the server of idpyoidc, which has passed the conformance tests of the OpenID
Foundation and shares no code with what it is asked by. Whoever comes to it is signed in at once, as `claims` say."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptojwt.key_jar import build_keyjar
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration

CLIENT_ID, CLIENT_SECRET = "custom-events", "a secret of the client"
SCOPES = ["openid", "email", "profile"]
TOLD = ("email", "email_verified", "name", "roles")  # claims of the ID token, where the account has them
ONE_KEY = [{"type": "RSA", "use": ["sig"]}]


class OpenIdProvider:
    """`subject` is what it calls the account, `claims` what it knows of it; `changed` replaces parts of what it says of itself; `token` those of an answer with a token."""

    def __init__(self, issuer: str, callback: str) -> None:
        self.issuer = issuer
        self.subject = "248289761001"
        self.claims: dict[str, Any] = {}
        self.changed: dict[str, Any] = {}
        self.asked: list[str] = []
        self.silent = False
        self._server = Server(OPConfiguration(conf=self._configuration(), base_path="."), cwd=".")
        self._server.context.userinfo.db["account"] = self.claims
        self._server.context.session_manager.sub_func["public"] = lambda *_, **__: self.subject
        self._server.context.cdb[CLIENT_ID] = {
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [(callback, {})],
            "post_logout_redirect_uri": ["http://127.0.0.1:8080/"],
            "token_endpoint_auth_method": "client_secret_basic",
            "response_types_supported": ["code"],
            "allowed_scopes": SCOPES,
            "add_claims": {"always": {"id_token": dict.fromkeys(TOLD), "userinfo": dict.fromkeys(TOLD)}},
        }

    def change_keys(self) -> None:
        """From now on it signs by another key."""
        jar, keys = self._server.keyjar, build_keyjar(ONE_KEY).export_jwks(private=True)
        for owner in ("", self.issuer):
            jar.import_jwks(keys, owner)
            for bundle in list(jar[owner])[:-1]:
                for key in list(bundle):
                    bundle.remove(key)

    def keep_back(self, *claims: str) -> None:
        """Tell these only at the user info endpoint."""
        always = self._server.context.cdb[CLIENT_ID]["add_claims"]["always"]
        always["id_token"] = {name: None for name in TOLD if name not in claims}

    def answer(self, method: str, path: str, query: str, body: str, headers: dict[str, str]) -> tuple[int, str, str]:
        """Status, address to go on to and text."""
        self.asked.append(path)
        if self.silent:
            return 503, "", "busy"
        if path == "/jwks.json":
            return 200, "", json.dumps(self._server.keyjar.export_jwks())
        names = {"/.well-known/openid-configuration": "provider_config"}
        endpoint = self._server.get_endpoint(names.get(path, path.strip("/")))
        told = {"headers": headers, "method": method, "url": f"{self.issuer}{path}"}
        parsed = endpoint.parse_request(dict(parse_qsl(query or body)), http_info=told)
        if "error" in parsed:
            return 400, "", json.dumps(parsed.to_dict())
        found = endpoint.process_request(parsed, http_info=told)
        if "error" in found:
            return 400, "", json.dumps(dict(found))
        said = endpoint.do_response(request=parsed, **found)
        text = said["response"] if isinstance(said["response"], str) else json.dumps(said["response"])
        if path == "/authorization":
            return 302, text, ""
        return 200, "", json.dumps({**json.loads(text), **self.changed})

    def _configuration(self) -> dict[str, Any]:
        def keys(*ids: str) -> dict[str, Any]:
            return {"key_defs": [{"type": "OCT", "use": ["enc"], "kid": kid} for kid in ids]}

        def endpoint(path: str, kind: str, **more: Any) -> dict[str, Any]:
            return {"path": path, "class": f"idpyoidc.server.oidc.{kind}", "kwargs": more}

        encrypter = {"kwargs": {"keys": keys("password", "salt"), "iterations": 1}}
        return {
            "issuer": self.issuer,
            "preference": {
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": SCOPES,
            },
            "key_conf": {"key_defs": ONE_KEY, "uri_path": "jwks.json"},
            "token_handler_args": {
                "code": {"lifetime": 600, "kwargs": {"crypt_conf": encrypter}},
                "token": {
                    "class": "idpyoidc.server.token.jwt_token.JWTToken",
                    "kwargs": {"lifetime": 3600, "alg": "RS256"},
                },
                "id_token": {
                    "class": "idpyoidc.server.token.id_token.IDToken",
                    "kwargs": {"enable_claims_per_client": True},
                },
            },
            "endpoint": {
                "provider_config": endpoint(
                    ".well-known/openid-configuration",
                    "provider_config.ProviderConfiguration",
                    client_authn_method=None,
                ),
                "authorization": endpoint(
                    "authorization",
                    "authorization.Authorization",
                    client_authn_method=None,
                    response_types_supported=["code"],
                    response_modes_supported=["query"],
                ),
                "token": endpoint("token", "token.Token", client_authn_method=["client_secret_basic"]),
                "userinfo": endpoint(
                    "userinfo",
                    "userinfo.UserInfo",
                    client_authn_method=["bearer_header"],
                    enable_claims_per_client=True,
                ),
                "session": endpoint("session", "session.Session"),
            },
            "add_ons": {
                "pkce": {
                    "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                    "kwargs": {"essential": True, "code_challenge_method": {"S256": True}},
                }
            },
            "authentication": {
                "at once": {
                    "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
                    "class": "idpyoidc.server.user_authn.user.NoAuthn",
                    "kwargs": {"user": "account"},
                }
            },
            "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": {}}},
            "session_params": {"encrypter": encrypter},
        }


@contextmanager
def provider_on_a_port(callback: str) -> Iterator[OpenIdProvider]:
    """The provider, which answers on 127.0.0.1 within the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            given = {name.lower(): value for name, value in self.headers.items()}
            status, location, text = provider.answer(self.command, place.path, place.query, body, given)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = OpenIdProvider(f"http://127.0.0.1:{server.server_port}", callback)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
