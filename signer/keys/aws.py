"""Keys in AWS KMS, through boto3: `aws-kms:KEY?region=…&profile=…&endpoint=…`.

Source: AWS KMS API Reference, GetPublicKey and Sign (MessageType DIGEST); boto3 guide, "Credentials" and "Retries"
(standard mode). Credentials, region and proxies are found where every program of AWS finds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.identity import PublicKey
from signer.keys.remote import UNREADABLE, RemoteKey, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_ATTEMPTS = 6
"""With pauses that double, as botocore's standard mode makes them: about half a minute at most."""
_NOT_ACCEPTED = {
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_THROTTLED = {"ThrottlingException", "Throttling", "LimitExceededException", "RequestLimitExceeded", "SlowDown"}


def open_key(uri: KeyUri, certificates: tuple[x509.Certificate, ...], secret: Secret) -> RemoteKey:
    """The key that `uri` names by identifier, alias or ARN. Raises UsageError, IdentityError."""
    uri.require_known("region", "profile", "endpoint")
    boto3 = load_client("boto3", "aws", "keys in AWS KMS")
    key, holder = uri.name, f"the AWS KMS key {uri.name!r}"
    client = _told(lambda: _client(boto3, uri), holder)
    found = _told(lambda: client.get_public_key(KeyId=key), holder)
    usage = found.get("KeyUsage", "nothing")
    if usage != "SIGN_VERIFY":
        raise IdentityError(f"{holder} is for {usage}, not for signing", hint="Use a key for SIGN_VERIFY.")
    public = load_public_key(found.get("PublicKey", b""), holder)
    # The ARN, so that an alias that is moved to another key in the middle of a batch does not matter.
    return RemoteKey(
        holder, public, _signer(client, found.get("KeyId", key), holder, public, found.get("SigningAlgorithms", []))
    )


def _client(boto3: Any, uri: KeyUri) -> Any:
    from_arn = uri.name.split(":")[3] if uri.name.startswith("arn:") and uri.name.count(":") > 3 else None
    session = boto3.session.Session(
        profile_name=uri.options.get("profile"), region_name=uri.options.get("region", from_arn)
    )
    config = load_client("botocore.config", "aws", "keys in AWS KMS").Config(
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS}, connect_timeout=10, read_timeout=30
    )
    return session.client("kms", endpoint_url=uri.options.get("endpoint"), config=config)


def _signer(
    client: Any, key: str, holder: str, public: PublicKey, allowed: list[str]
) -> Callable[[bytes, DigestAlgorithm], bytes]:
    scheme = "RSASSA_PKCS1_V1_5_SHA_" if isinstance(public, rsa.RSAPublicKey) else "ECDSA_SHA_"

    def sign(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        wanted = f"{scheme}{algorithm.size * 8}"
        if wanted not in allowed or algorithm is DigestAlgorithm.SHA1:
            able = ", ".join(name for name in allowed if name.startswith(scheme))
            raise IdentityError(
                f"{holder} can't sign {algorithm} digests, only {able}", hint="Choose another --digest."
            )
        answer = _told(
            lambda: client.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=wanted), holder
        )
        signature: bytes = answer.get("Signature", b"")
        return signature

    return sign


def _told(call: Callable[[], T], holder: str) -> T:
    """What `call` returns; what the client raises, as one sentence."""
    exceptions = load_client("botocore.exceptions", "aws", "keys in AWS KMS")
    parsers = load_client("botocore.parsers", "aws", "keys in AWS KMS")
    try:
        return call()
    except exceptions.ClientError as error:
        raise _refused(error.response.get("Error", {}), holder) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise WrongSecret(
            f"there are no AWS credentials for {holder}",
            hint="Set AWS_ACCESS_KEY_ID and so on, or profile= in the URI.",
        ) from error
    except exceptions.NoRegionError as error:
        raise UsageError(
            f"the region of {holder} is not known", field="region", hint="Add region= to the URI."
        ) from error
    except (exceptions.BotoCoreError, parsers.ResponseParserError, *UNREADABLE) as error:
        raise IdentityError(
            f"AWS gave no usable answer about {holder}: {one_line(error)}",
            hint="Check region, endpoint and profile.",
        ) from error


def _refused(error: dict[str, str], holder: str) -> IdentityError:
    code, message = error.get("Code", "an error without a code"), error.get("Message", "")
    reason = one_line(f"{code}: {message}" if message else code)
    if code == "NotFoundException":
        return KeyNotFound(f"{holder} is not there ({reason})", hint="Check its name, the region and the account.")
    if code in _NOT_ACCEPTED:
        return WrongSecret(
            f"AWS does not accept the credentials for {holder} ({reason})", hint="Renew or correct them."
        )
    if code in ("AccessDeniedException", "AccessDenied"):
        return IdentityError(
            f"{holder} is not for these credentials ({reason})", hint="Allow kms:GetPublicKey and kms:Sign."
        )
    if code in _THROTTLED:
        return IdentityError(f"AWS throttles {holder}, and still did after {_ATTEMPTS} tries ({reason})")
    return IdentityError(f"{holder} can't be used ({reason})")
