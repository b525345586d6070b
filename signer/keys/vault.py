"""Keys in the transit engine of HashiCorp Vault, through hvac: `vault:MOUNT/KEY?version=…&addr=…&namespace=…`.

Source: Vault HTTP API, "Transit secrets engine", Read Key and Sign Data. The client
reads VAULT_ADDR, VAULT_TOKEN, ~/.vault-token and VAULT_CACERT.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, WrongSecret
from signer.keys.remote import UNREADABLE, RemoteKey, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_WHAT = "keys in Vault"
_RETRIES = 5
_PAUSE = 0.5
"""Seconds; each pause is twice the one before it, about 15 seconds in all."""
_TRY_AGAIN = (429, 502, 503, 504)
_HASHES = {
    DigestAlgorithm.SHA256: "sha2-256",
    DigestAlgorithm.SHA384: "sha2-384",
    DigestAlgorithm.SHA512: "sha2-512",
}


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """The key that `uri` names, in its latest version unless it says which.

    The token is VAULT_TOKEN, ~/.vault-token, or the secret that is asked for. Raises UsageError, IdentityError.
    """
    uri.require_known("version", "addr", "namespace")
    mount, _, name = uri.name.rpartition("/")
    mount, holder = mount or "transit", f"the Vault key {uri.name!r}"
    transit = _client(uri, holder, secret).secrets.transit
    wanted = uri.options.get("version")
    version, pem = _told(lambda: _version(transit.read_key(name=name, mount_point=mount), wanted, holder), holder)
    public = load_public_key(pem.encode(), holder)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        if algorithm not in _HASHES:
            raise IdentityError(f"{holder} can't sign {algorithm} digests", hint="Choose another --digest.")
        asked = {
            "hash_input": base64.b64encode(digest).decode(),
            "hash_algorithm": _HASHES[algorithm],
            "prehashed": True,
            "signature_algorithm": "pkcs1v15",
            "marshaling_algorithm": "asn1",
        }
        return _told(
            lambda: _signature(transit.sign_data(name=name, mount_point=mount, key_version=version, **asked)), holder
        )

    return RemoteKey(holder, public, sign)


def _client(uri: KeyUri, holder: str, secret: Secret) -> Any:
    hvac = load_client("hvac", "vault", _WHAT)
    address, namespace = uri.options.get("addr"), uri.options.get("namespace")
    client = _told(lambda: hvac.Client(url=address, namespace=namespace), holder)  # which reads VAULT_ADDR, VAULT_TOKEN
    client.token = client.token or secret(f"Token for {holder}")
    if not client.token:
        raise WrongSecret(
            f"{holder} wants a token, and none was given", hint="Set VAULT_TOKEN, or use --password-file."
        )
    retry = load_client("urllib3.util.retry", "vault", _WHAT).Retry(
        total=_RETRIES,
        connect=2,
        backoff_factor=_PAUSE,
        status_forcelist=_TRY_AGAIN,
        allowed_methods=None,  # to sign once more changes nothing
        respect_retry_after_header=False,  # it may say hours
        raise_on_status=False,
    )
    adapter = load_client("requests.adapters", "vault", _WHAT).HTTPAdapter(max_retries=retry)
    for scheme in ("https://", "http://"):
        client.adapter.session.mount(scheme, adapter)
    return client


def _version(found: Any, wanted: str | None, holder: str) -> tuple[int, str]:
    """The number of the key's version that signs, and its public key as PEM."""
    data = found["data"]
    number = wanted or str(data["latest_version"])
    version = data["keys"].get(number)
    if version is None:
        there = ", ".join(data["keys"]) or "none"
        raise KeyNotFound(f"{holder} has no version {number!r}; there are: {there}", hint="Check version= in the URI.")
    pem = version.get("public_key") if isinstance(version, dict) else None
    if not pem:
        raise IdentityError(
            f"{holder} is of the type {data.get('type')}, which has no public key", hint="Use rsa-3072 or ecdsa-p256."
        )
    return int(number), str(pem)


def _signature(answer: Any) -> bytes:
    """What stands after `vault:v1:`."""
    return base64.b64decode(str(answer["data"]["signature"]).rpartition(":")[2], validate=True)


def _told(call: Callable[[], T], holder: str) -> T:
    """What `call` returns; what the client raises, as one sentence."""
    refused = load_client("hvac.exceptions", "vault", _WHAT)
    try:
        return call()
    except (refused.Forbidden, refused.Unauthorized) as error:
        raise WrongSecret(
            f"Vault does not accept the token for {holder} ({_reason(error)})",
            hint="Renew it, and allow read on keys/ and update on sign/ of the key by a policy.",
        ) from error
    except refused.InvalidPath as error:
        raise KeyNotFound(f"{holder} is not there ({_reason(error)})", hint="Write vault:MOUNT/KEY.") from error
    except refused.RateLimitExceeded as error:
        raise IdentityError(f"Vault throttles {holder}, and still did after {_RETRIES + 1} tries") from error
    except refused.VaultError as error:
        raise IdentityError(f"{holder} can't be used ({_reason(error)})") from error
    except (OSError, *UNREADABLE) as error:  # requests raises OSErrors
        raise IdentityError(
            f"Vault gave no usable answer about {holder}: {one_line(error)}",
            hint="Check VAULT_ADDR and VAULT_CACERT.",
        ) from error


def _reason(error: Any) -> str:
    return one_line(", ".join(error.errors or []) or error.text or type(error).__name__)
