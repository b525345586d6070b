"""Keys in Azure Key Vault and Managed HSM, through azure-keyvault-keys: `azure-kv:VAULT/KEY/VERSION`.

Source: Azure Key Vault REST API 7.4, Get Key and Sign; RFC 7518, 3.3 and 3.4 (RS256 and so on; ES256 gives r and s).
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
from signer.keys.remote import UNREADABLE, RemoteKey, ecdsa_der, key_kind, load_client, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_WHAT = "keys in Azure Key Vault"
_RETRY = {"retry_total": 5, "retry_status": 5, "retry_connect": 2, "retry_read": 2, "retry_backoff_max": 20}
"""Pauses double from 1.6 seconds, unless the service says how long to wait: about half a minute in all."""
_ECDSA = {("P-256", DigestAlgorithm.SHA256): "ES256", ("P-384", DigestAlgorithm.SHA384): "ES384"}
_RSA = {DigestAlgorithm.SHA256: "RS256", DigestAlgorithm.SHA384: "RS384", DigestAlgorithm.SHA512: "RS512"}
_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """The key that `uri` names, in its latest version unless it says which. Raises UsageError, IdentityError."""
    uri.require_known()
    vault, name, version = _names(uri.name)
    holder = f"the Azure key {uri.name!r}"
    keys = load_client("azure.keyvault.keys", "azure", _WHAT)
    crypto = load_client("azure.keyvault.keys.crypto", "azure", _WHAT)
    identity = load_client("azure.identity", "azure", _WHAT)

    def find() -> tuple[Any, Any]:
        credential = identity.DefaultAzureCredential()
        found = keys.KeyClient(vault, credential, **_RETRY).get_key(name, version)
        return found, crypto.CryptographyClient(found, credential, **_RETRY)

    found, client = _told(find, holder)
    public = _told(lambda: _public_key(found.key, holder), holder)
    return RemoteKey(holder, public, _signer(client, crypto, public, holder))


def _names(text: str) -> tuple[str, str, str | None]:
    """The URL of the vault, the key's name and its version: from VAULT/KEY/VERSION or from the key's identifier."""
    if text.startswith("https://"):
        host, _, path = text.removeprefix("https://").partition("/")
        parts = path.removeprefix("keys/").split("/")
    else:
        host, *parts = text.split("/")
    if not host or len(parts) not in (1, 2) or not all(parts):
        raise UsageError(
            f"{text!r} is no key in Azure Key Vault", hint="Write azure-kv:VAULT/KEY, with /VERSION for one of several."
        )
    # A bare name is a vault of the public cloud; other clouds and managed HSMs are named by their host.
    vault = host if "." in host else f"{host}.vault.azure.net"
    return f"https://{vault}", parts[0], parts[1] if len(parts) == 2 else None


def _public_key(key: Any, holder: str) -> PublicKey:
    """The public half of a JSON Web Key (RFC 7518, 6.2 and 6.3)."""
    if "sign" not in (key.key_ops or []):
        raise IdentityError(f"{holder} may not sign", hint="Allow the operation sign for the key.")
    kind = str(getattr(key.kty, "value", key.kty)).removesuffix("-HSM")
    curve = str(getattr(key.crv, "value", key.crv or ""))
    try:
        if kind == "RSA":
            return rsa.RSAPublicNumbers(int.from_bytes(key.e), int.from_bytes(key.n)).public_key()
        if kind == "EC" and curve in _CURVES:
            x, y = int.from_bytes(key.x), int.from_bytes(key.y)
            return ec.EllipticCurvePublicNumbers(x, y, _CURVES[curve]).public_key()
    except (TypeError, ValueError) as error:
        raise IdentityError(f"the public key of {holder} can't be read ({error})") from error
    raise IdentityError(
        f"{holder} is of a kind that Authenticode does not know ({kind} {curve})",
        hint="Use RSA, or ECDSA P-256 or P-384.",
    )


def _signer(client: Any, crypto: Any, public: PublicKey, holder: str) -> Callable[[bytes, DigestAlgorithm], bytes]:
    is_rsa = isinstance(public, rsa.RSAPublicKey)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        name = _RSA.get(algorithm) if is_rsa else _ECDSA.get((key_kind(public), algorithm))
        if name is None:
            raise IdentityError(
                f"{holder} ({key_kind(public)}) can't sign {algorithm} digests", hint="Choose another --digest."
            )
        # To sign once more changes nothing, so POST may be tried again like GET.
        answer = _told(
            lambda: client.sign(crypto.SignatureAlgorithm(name), digest, retry_on_methods=("GET", "POST")), holder
        )
        signature = bytes(answer.signature or b"")
        return signature if is_rsa else ecdsa_der(signature, holder)

    return sign


def _told(call: Callable[[], T], holder: str) -> T:
    """What `call` returns; what the client raises, as one sentence."""
    exceptions = load_client("azure.core.exceptions", "azure", _WHAT)
    try:
        return call()
    except exceptions.ResourceNotFoundError as error:
        raise KeyNotFound(
            f"{holder} is not there ({_reason(error)})", hint="Check the vault, the name and the version."
        ) from error
    except exceptions.ClientAuthenticationError as error:
        raise WrongSecret(
            f"Azure does not accept the credentials for {holder} ({_reason(error)})",
            hint="Set AZURE_CLIENT_ID and so on, or run: az login",
        ) from error
    except exceptions.HttpResponseError as error:
        raise _refused(error, holder) from error
    except (exceptions.AzureError, OSError, *UNREADABLE) as error:
        raise IdentityError(
            f"Azure gave no usable answer about {holder}: {_reason(error)}",
            hint="Check the name of the vault.",
        ) from error


def _refused(error: Any, holder: str) -> IdentityError:
    if error.status_code == 429:
        return IdentityError(f"Azure throttles {holder}, and still did after {_RETRY['retry_total'] + 1} tries")
    if error.status_code == 403:
        return IdentityError(
            f"{holder} is not for these credentials ({_reason(error)})", hint="Allow the role Key Vault Crypto User."
        )
    return IdentityError(f"{holder} can't be used ({_reason(error)})")


def _reason(error: Exception) -> str:
    """The message on one line: errors of the service say all twice, and those of azure-identity are pages."""
    return one_line(str(error).partition("\nCode: ")[0])
