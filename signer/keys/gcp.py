"""Keys in Google Cloud KMS, through google-cloud-kms: `gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K/…`.

Source: Cloud KMS REST API v1, cryptoKeyVersions.getPublicKey and asymmetricSign, and CryptoKeyVersionAlgorithm.
Credentials are found as "Application Default Credentials" describes. REST is spoken, which gets through proxies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.remote import UNREADABLE, RemoteKey, digest_info, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_WHAT = "keys in Google Cloud KMS"
_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[0-9]+")
_PATIENCE = 40.0
"""Seconds in all, with pauses that double."""


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """The version of a key that `uri` names by its resource name. Raises UsageError, IdentityError."""
    uri.require_known("endpoint")
    if not _NAME.fullmatch(uri.name):
        raise UsageError(
            f"{uri.name!r} is no version of a key in Google Cloud KMS",
            hint="Write gcp-kms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1.",
        )
    name, holder = uri.name, f"the Google Cloud key {'/'.join(uri.name.split('/')[-3::2])!r}"
    client = _told(lambda: _client(uri.options.get("endpoint")), holder)
    retry = _retry()
    found = _told(lambda: client.get_public_key(request={"name": name}, retry=retry), holder)
    wanted = _digest_of(str(getattr(found.algorithm, "name", found.algorithm)), holder)

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        if wanted not in (None, algorithm):
            raise IdentityError(f"{holder} signs {wanted} digests alone", hint=f"Use --digest {wanted}.")
        raw = {"data": digest_info(digest, algorithm)} if wanted is None else {"digest": {algorithm.label: digest}}
        # Checksums are not sent along: the signature is checked with the public key, which covers them all.
        answer = _told(lambda: client.asymmetric_sign(request={"name": name, **raw}, retry=retry), holder)
        return bytes(answer.signature)

    return RemoteKey(holder, load_public_key(str(found.pem).encode(), holder), sign)


def _digest_of(algorithm: str, holder: str) -> DigestAlgorithm | None:
    """The one digest that a key of this algorithm signs; None where it signs any DigestInfo."""
    if algorithm.startswith("RSA_SIGN_RAW_PKCS1_"):
        return None
    if algorithm.startswith(("RSA_SIGN_PKCS1_", "EC_SIGN_P256_", "EC_SIGN_P384_")):
        return DigestAlgorithm.named(algorithm.rpartition("_")[2])
    raise IdentityError(
        f"{holder} is for {algorithm}, which Authenticode does not know",
        hint="Make a key for RSA_SIGN_PKCS1_3072_SHA256 or EC_SIGN_P256_SHA256.",
    )


def _client(endpoint: str | None) -> Any:
    if endpoint is not None:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise UsageError(f"{endpoint!r} would send credentials in the clear", field="endpoint", hint="Use https.")
    kms = load_client("google.cloud.kms", "gcp", _WHAT)
    options = {} if endpoint is None else {"api_endpoint": endpoint}
    return kms.KeyManagementServiceClient(transport="rest", client_options=options)


def _retry() -> Any:
    retry = load_client("google.api_core.retry", "gcp", _WHAT)
    errors = load_client("google.api_core.exceptions", "gcp", _WHAT)
    again = retry.if_exception_type(errors.TooManyRequests, errors.ServiceUnavailable, errors.GatewayTimeout)
    return retry.Retry(predicate=again, initial=1.0, maximum=16.0, multiplier=2.0, timeout=_PATIENCE)


def _told(call: Callable[[], T], holder: str) -> T:
    """What `call` returns; what the client raises, as one sentence."""
    errors = load_client("google.api_core.exceptions", "gcp", _WHAT)
    auth = load_client("google.auth.exceptions", "gcp", _WHAT)
    json = load_client("google.protobuf.json_format", "gcp", _WHAT)
    try:
        return call()
    except (auth.DefaultCredentialsError, auth.RefreshError, errors.Unauthorized) as error:
        raise WrongSecret(
            f"Google Cloud does not accept the credentials for {holder} ({_reason(error)})",
            hint="Set GOOGLE_APPLICATION_CREDENTIALS, or run: gcloud auth application-default login",
        ) from error
    except errors.NotFound as error:
        raise KeyNotFound(
            f"{holder} is not there ({_reason(error)})", hint="Check project, location, ring and key."
        ) from error
    except errors.Forbidden as error:
        raise IdentityError(
            f"{holder} is not for these credentials ({_reason(error)})",
            hint="Grant the role Cloud KMS CryptoKey Signer/Verifier.",
        ) from error
    except (errors.RetryError, errors.TooManyRequests) as error:
        throttled = isinstance(getattr(error, "cause", error), errors.TooManyRequests)
        what = "throttles" if throttled else "has no service for"
        raise IdentityError(f"Google Cloud {what} {holder}, and still after {_PATIENCE:g} seconds") from error
    except (errors.GoogleAPICallError, auth.GoogleAuthError, json.ParseError, OSError, *UNREADABLE) as error:
        raise IdentityError(
            f"{holder} can't be used ({_reason(error)})", hint="Check its state, and the network."
        ) from error


def _reason(error: Exception) -> str:
    return one_line(getattr(error, "message", None) or error)
