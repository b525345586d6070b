"""Sign with keys in Google Cloud KMS through google-cloud-kms: `gcp-kms:projects/P/locations/L/keyRings/R/…`.

Source: Cloud KMS REST API v1, cryptoKeyVersions.getPublicKey and asymmetricSign, and CryptoKeyVersionAlgorithm.
The library finds Application Default Credentials. It uses REST instead of gRPC, because REST works through proxies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.remote import MALFORMED_ANSWER, RemoteKey, digest_info, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_FEATURE = "keys in Google Cloud KMS"
_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[0-9]+")
_RETRY_SECONDS = 40.0
"""Total time for retries, with pauses that double."""


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """Open the key version that `uri` names by its resource name. Raises UsageError and IdentityError."""
    uri.require_known("endpoint")
    if not _NAME.fullmatch(uri.name):
        raise UsageError(
            f"{uri.name!r} is not the resource name of a key version in Google Cloud KMS",
            hint="Write gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1.",
        )
    name, holder = uri.name, f"the Google Cloud key {'/'.join(uri.name.split('/')[-3::2])!r}"
    client = _convert_errors(lambda: _client(uri.options.get("endpoint")), holder)
    retry = _retry()
    found = _convert_errors(lambda: client.get_public_key(request={"name": name}, retry=retry), holder)
    required = _digest_of(str(getattr(found.algorithm, "name", found.algorithm)), holder)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        if required not in (None, algorithm):
            raise IdentityError(f"{holder} signs only {required} digests", hint=f"Use --digest {required}.")
        raw = {"data": digest_info(digest, algorithm)} if required is None else {"digest": {algorithm.label: digest}}
        # The optional CRC32C checksums are redundant: RemoteKey checks the signature with the public key.
        answer = _convert_errors(lambda: client.asymmetric_sign(request={"name": name, **raw}, retry=retry), holder)
        return bytes(answer.signature)

    return RemoteKey(holder, load_public_key(str(found.pem).encode(), holder), sign)


def _digest_of(algorithm: str, holder: str) -> DigestAlgorithm | None:
    """Return the only digest algorithm that a key with this algorithm signs, or None if it signs any DigestInfo."""
    if algorithm.startswith("RSA_SIGN_RAW_PKCS1_"):
        return None
    if algorithm.startswith(("RSA_SIGN_PKCS1_", "EC_SIGN_P256_", "EC_SIGN_P384_")):
        return DigestAlgorithm.named(algorithm.rpartition("_")[2])
    raise IdentityError(
        f"Authenticode does not support {algorithm}, the algorithm of {holder}",
        hint="Create a key with the algorithm RSA_SIGN_PKCS1_3072_SHA256 or EC_SIGN_P256_SHA256.",
    )


def _client(endpoint: str | None) -> Any:
    if endpoint is not None:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise UsageError(
                f"the endpoint {endpoint!r} would receive credentials without encryption",
                field="endpoint",
                hint="Use an https URL.",
            )
    kms = load_client("google.cloud.kms", "gcp", _FEATURE)
    options = {} if endpoint is None else {"api_endpoint": endpoint}
    return kms.KeyManagementServiceClient(transport="rest", client_options=options)


def _retry() -> Any:
    retry = load_client("google.api_core.retry", "gcp", _FEATURE)
    errors = load_client("google.api_core.exceptions", "gcp", _FEATURE)
    transient = retry.if_exception_type(errors.TooManyRequests, errors.ServiceUnavailable, errors.GatewayTimeout)
    return retry.Retry(predicate=transient, initial=1.0, maximum=16.0, multiplier=2.0, timeout=_RETRY_SECONDS)


def _convert_errors(call: Callable[[], T], holder: str) -> T:
    """Return the result of `call`. Converts exceptions of the client to errors that name `holder`."""
    errors = load_client("google.api_core.exceptions", "gcp", _FEATURE)
    auth = load_client("google.auth.exceptions", "gcp", _FEATURE)
    json = load_client("google.protobuf.json_format", "gcp", _FEATURE)
    try:
        return call()
    except (auth.DefaultCredentialsError, auth.RefreshError, errors.Unauthorized) as error:
        raise WrongSecret(
            f"Google Cloud rejected the credentials for {holder} ({_reason(error)})",
            hint="Run: gcloud auth application-default login (or set GOOGLE_APPLICATION_CREDENTIALS)",
        ) from error
    except errors.NotFound as error:
        raise KeyNotFound(
            f"{holder} was not found ({_reason(error)})", hint="Check project, location, key ring, key and version."
        ) from error
    except errors.Forbidden as error:
        raise IdentityError(
            f"the credentials do not allow the use of {holder} ({_reason(error)})",
            hint="Grant the role Cloud KMS CryptoKey Signer/Verifier.",
        ) from error
    except (errors.RetryError, errors.TooManyRequests) as error:
        throttled = isinstance(getattr(error, "cause", error), errors.TooManyRequests)
        problem = "throttles requests" if throttled else "is not available"
        raise IdentityError(
            f"Google Cloud {problem} for {holder}, also after {_RETRY_SECONDS:g} seconds",
            hint="Run the command again later.",
        ) from error
    except (errors.GoogleAPICallError, auth.GoogleAuthError, json.ParseError, OSError, *MALFORMED_ANSWER) as error:
        raise IdentityError(
            f"{holder} can't be used ({_reason(error)})", hint="Check the state of the key, and the network."
        ) from error


def _reason(error: Exception) -> str:
    return one_line(getattr(error, "message", None) or error)
