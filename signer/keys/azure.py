"""Sign with keys in Azure Key Vault and Managed HSM through azure-keyvault-keys: `azure-kv:VAULT/KEY/VERSION`.

Source: Azure Key Vault REST API 7.4, Get Key and Sign; RFC 7518, 3.3 (RS256) and 3.4 (ES256 returns r and s).
DefaultAzureCredential of azure-identity finds the credentials: environment, workload or managed identity, `az login`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.identity import PublicKey
from signer.keys.remote import MALFORMED_ANSWER, RemoteKey, ecdsa_der, key_kind, load_client, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_FEATURE = "keys in Azure Key Vault"
_RETRY = {"retry_total": 5, "retry_status": 5, "retry_connect": 2, "retry_read": 2, "retry_backoff_max": 20}
"""Pauses double from 1.6 seconds, unless the service sends Retry-After: about half a minute in total."""
_ECDSA = {("P-256", DigestAlgorithm.SHA256): "ES256", ("P-384", DigestAlgorithm.SHA384): "ES384"}
_RSA = {DigestAlgorithm.SHA256: "RS256", DigestAlgorithm.SHA384: "RS384", DigestAlgorithm.SHA512: "RS512"}
_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """Open the key that `uri` names, in its latest version by default. Raises UsageError and IdentityError."""
    uri.require_known()
    vault, name, version = _names(uri.name)
    holder = f"the Azure key {uri.name!r}"
    keys = load_client("azure.keyvault.keys", "azure", _FEATURE)
    crypto = load_client("azure.keyvault.keys.crypto", "azure", _FEATURE)
    identity = load_client("azure.identity", "azure", _FEATURE)

    def find() -> tuple[Any, Any]:
        credential = identity.DefaultAzureCredential()
        found = keys.KeyClient(vault, credential, **_RETRY).get_key(name, version)
        return found, crypto.CryptographyClient(found, credential, **_RETRY)

    found, client = _convert_errors(find, holder)
    public = _convert_errors(lambda: _public_key(found.key, holder), holder)
    return RemoteKey(holder, public, _signer(client, crypto, public, holder))


def _names(text: str) -> tuple[str, str, str | None]:
    """Return vault URL, key name and version (or None) from VAULT/KEY/VERSION or from the URL of the key."""
    if text.startswith("https://"):
        host, _, path = text.removeprefix("https://").partition("/")
        parts = path.removeprefix("keys/").split("/")
    else:
        host, *parts = text.split("/")
    if not host or len(parts) not in (1, 2) or not all(parts):
        raise UsageError(
            f"{text!r} is not the name of a key in Azure Key Vault",
            hint="Write azure-kv:VAULT/KEY or azure-kv:VAULT/KEY/VERSION.",
        )
    # A name without a dot is a vault in the public cloud; other clouds and managed HSMs need the host name.
    vault = host if "." in host else f"{host}.vault.azure.net"
    return f"https://{vault}", parts[0], parts[1] if len(parts) == 2 else None


def _public_key(key: Any, holder: str) -> PublicKey:
    """Return the public key of a JSON Web Key (RFC 7518, 6.2 and 6.3). Raises IdentityError."""
    if "sign" not in (key.key_ops or []):
        raise IdentityError(f"{holder} does not allow the operation sign", hint="Add sign to the key's operations.")
    kind = str(getattr(key.kty, "value", key.kty)).removesuffix("-HSM")
    curve = str(getattr(key.crv, "value", key.crv or ""))
    try:
        if kind == "RSA":
            return rsa.RSAPublicNumbers(int.from_bytes(key.e), int.from_bytes(key.n)).public_key()
        if kind == "EC" and curve in _CURVES:
            x, y = int.from_bytes(key.x), int.from_bytes(key.y)
            return ec.EllipticCurvePublicNumbers(x, y, _CURVES[curve]).public_key()
    except (TypeError, ValueError) as error:
        raise IdentityError(f"the public key of {holder} can't be parsed ({error})") from error
    raise IdentityError(
        f"Authenticode does not support the type of {holder} ({kind} {curve})",
        hint="Use an RSA, ECDSA P-256 or ECDSA P-384 key.",
    )


def _signer(client: Any, crypto: Any, public: PublicKey, holder: str) -> Callable[[bytes, DigestAlgorithm], bytes]:
    is_rsa = isinstance(public, rsa.RSAPublicKey)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        name = _RSA.get(algorithm) if is_rsa else _ECDSA.get((key_kind(public), algorithm))
        if name is None:
            raise IdentityError(
                f"{holder} ({key_kind(public)}) can't sign {algorithm} digests", hint="Choose another --digest."
            )
        # Signing has no side effects, so a POST can be retried like a GET.
        answer = _convert_errors(
            lambda: client.sign(crypto.SignatureAlgorithm(name), digest, retry_on_methods=("GET", "POST")), holder
        )
        signature = bytes(answer.signature or b"")
        return signature if is_rsa else ecdsa_der(signature, holder)

    return sign


def _convert_errors(call: Callable[[], T], holder: str) -> T:
    """Return the result of `call`. Converts exceptions of the client to errors that name `holder`."""
    exceptions = load_client("azure.core.exceptions", "azure", _FEATURE)
    try:
        return call()
    except exceptions.ResourceNotFoundError as error:
        raise KeyNotFound(
            f"{holder} was not found ({_reason(error)})", hint="Check the vault, the name and the version."
        ) from error
    except exceptions.ClientAuthenticationError as error:
        raise WrongSecret(
            f"Azure rejected the credentials for {holder} ({_reason(error)})",
            hint="Run: az login (or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET)",
        ) from error
    except exceptions.HttpResponseError as error:
        raise _refused(error, holder) from error
    except (exceptions.AzureError, OSError, *MALFORMED_ANSWER) as error:
        raise IdentityError(
            f"Azure gave no valid answer for {holder}: {_reason(error)}",
            hint="Check the name of the vault.",
        ) from error


def _refused(error: Any, holder: str) -> IdentityError:
    if error.status_code == 429:
        return IdentityError(
            f"Azure throttles requests for {holder}, also after {_RETRY['retry_total'] + 1} attempts",
            hint="Run the command again later.",
        )
    if error.status_code == 403:
        return IdentityError(
            f"the credentials do not allow the use of {holder} ({_reason(error)})",
            hint="Assign the role Key Vault Crypto User.",
        )
    return IdentityError(f"{holder} can't be used ({_reason(error)})")


def _reason(error: Exception) -> str:
    """Return the message on one line: service errors repeat their text, and azure-identity's are very long."""
    return one_line(str(error).partition("\nCode: ")[0])
