"""How we prove to Google who we are: one service account for both lanes, its token kept and renewed by google-auth."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from custom_events.errors import NeedsAction

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

ADS_SCOPE: Final = "https://www.googleapis.com/auth/adwords"
DATA_MANAGER_SCOPE: Final = "https://www.googleapis.com/auth/datamanager"


@lru_cache(maxsize=16)
def service_account(key_file: Path | None, scope: str) -> "Credentials":
    """Credentials of a service account's key file for one scope, one object per process. Raises NeedsAction."""
    from google.oauth2 import service_account as google

    if key_file is None:
        raise NeedsAction(
            "no credentials for Google: set GOOGLE_ADS_JSON_KEY_FILE_PATH to the key file of a service account"
        )
    try:
        return google.Credentials.from_service_account_file(str(key_file), scopes=[scope])
    except (OSError, ValueError) as error:
        raise NeedsAction(
            f"GOOGLE_ADS_JSON_KEY_FILE_PATH={key_file}: not a readable service account key ({type(error).__name__}: {error})"
        ) from error
