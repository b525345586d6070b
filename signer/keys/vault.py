"""Sign with keys in the transit engine of HashiCorp Vault through hvac: `vault:MOUNT/KEY?version=…&addr=…&namespace=…`.

Source: Vault HTTP API, "Transit secrets engine", Read Key and Sign Data. hvac reads VAULT_ADDR, VAULT_TOKEN,
~/.vault-token and VAULT_CACERT.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, WrongSecret
from signer.keys.remote import MALFORMED_ANSWER, RemoteKey, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_FEATURE = "keys in Vault"
_RETRIES = 5
_PAUSE_SECONDS = 0.5
"""First pause; each further pause is twice as long, about 15 seconds in total."""
_TRANSIENT = (429, 502, 503, 504)
_HASHES = {
    DigestAlgorithm.SHA256: "sha2-256",
    DigestAlgorithm.SHA384: "sha2-384",
    DigestAlgorithm.SHA512: "sha2-512",
}


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """Open the key that `uri` names, in its latest version by default.

    The Vault token is VAULT_TOKEN, ~/.vault-token or the result of `secret`. Raises UsageError and IdentityError.
    """
    uri.require_known("version", "addr", "namespace")
    mount, _, name = uri.name.rpartition("/")
    mount, holder = mount or "transit", f"the Vault key {uri.name!r}"
    transit = _client(uri, holder, secret).secrets.transit
    wanted = uri.options.get("version")
    version, pem = _convert_errors(
        lambda: _version(transit.read_key(name=name, mount_point=mount), wanted, holder), holder
    )
    public = load_public_key(pem.encode(), holder)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        if algorithm not in _HASHES:
            raise IdentityError(f"{holder} can't sign {algorithm} digests", hint="Choose another --digest.")
        parameters = {
            "hash_input": base64.b64encode(digest).decode(),
            "hash_algorithm": _HASHES[algorithm],
            "prehashed": True,
            "signature_algorithm": "pkcs1v15",
            "marshaling_algorithm": "asn1",
        }
        return _convert_errors(
            lambda: _signature(transit.sign_data(name=name, mount_point=mount, key_version=version, **parameters)),
            holder,
        )

    return RemoteKey(holder, public, sign)


def _client(uri: KeyUri, holder: str, secret: Secret) -> Any:
    hvac = load_client("hvac", "vault", _FEATURE)
    address, namespace = uri.options.get("addr"), uri.options.get("namespace")
    client = _convert_errors(
        lambda: hvac.Client(url=address, namespace=namespace), holder
    )  # reads VAULT_ADDR, VAULT_TOKEN
    client.token = client.token or secret(f"Token for {holder}")
    if not client.token:
        raise WrongSecret(
            f"{holder} requires a Vault token, and none was given", hint="Set VAULT_TOKEN, or use --password-file."
        )
    retry = load_client("urllib3.util.retry", "vault", _FEATURE).Retry(
        total=_RETRIES,
        connect=2,
        backoff_factor=_PAUSE_SECONDS,
        status_forcelist=_TRANSIENT,
        allowed_methods=None,  # retry all methods: signing has no side effects
        respect_retry_after_header=False,  # the server could demand hours
        raise_on_status=False,
    )
    adapter = load_client("requests.adapters", "vault", _FEATURE).HTTPAdapter(max_retries=retry)
    for scheme in ("https://", "http://"):
        client.adapter.session.mount(scheme, adapter)
    return client


def _version(found: Any, wanted: str | None, holder: str) -> tuple[int, str]:
    """Return the number of the key version to sign with, and its public key in PEM. Raises IdentityError."""
    data = found["data"]
    number = wanted or str(data["latest_version"])
    version = data["keys"].get(number)
    if version is None:
        existing = ", ".join(data["keys"]) or "none"
        raise KeyNotFound(
            f"{holder} has no version {number!r}; its versions: {existing}", hint="Correct version= in the URI."
        )
    pem = version.get("public_key") if isinstance(version, dict) else None
    if not pem:
        raise IdentityError(
            f"{holder} has the type {data.get('type')}, which has no public key",
            hint="Create a key of the type rsa-3072 or ecdsa-p256.",
        )
    return int(number), str(pem)


def _signature(answer: Any) -> bytes:
    """Decode the signature, which follows the prefix `vault:v1:`."""
    return base64.b64decode(str(answer["data"]["signature"]).rpartition(":")[2], validate=True)


def _convert_errors(call: Callable[[], T], holder: str) -> T:
    """Return the result of `call`. Converts exceptions of the client to errors that name `holder`."""
    exceptions = load_client("hvac.exceptions", "vault", _FEATURE)
    try:
        return call()
    except (exceptions.Forbidden, exceptions.Unauthorized) as error:
        raise WrongSecret(
            f"Vault rejected the token for {holder} ({_reason(error)})",
            hint="Renew the token. Its policy must allow read on MOUNT/keys/KEY and update on MOUNT/sign/KEY.",
        ) from error
    except exceptions.InvalidPath as error:
        raise KeyNotFound(f"{holder} was not found ({_reason(error)})", hint="Write vault:MOUNT/KEY.") from error
    except exceptions.RateLimitExceeded as error:
        raise IdentityError(
            f"Vault throttles requests for {holder}, also after {_RETRIES + 1} attempts",
            hint="Run the command again later.",
        ) from error
    except exceptions.VaultError as error:
        raise IdentityError(f"{holder} can't be used ({_reason(error)})") from error
    except (OSError, *MALFORMED_ANSWER) as error:  # exceptions of requests are OSErrors
        raise IdentityError(
            f"Vault gave no valid answer for {holder}: {one_line(error)}",
            hint="Check VAULT_ADDR and VAULT_CACERT.",
        ) from error


def _reason(error: Any) -> str:
    return one_line(", ".join(error.errors or []) or error.text or type(error).__name__)
