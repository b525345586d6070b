"""Sign with keys in AWS KMS through boto3: `aws-kms:KEY?region=…&profile=…&endpoint=…`.

Source: AWS KMS API Reference, GetPublicKey and Sign (MessageType DIGEST); boto3 guide, "Credentials" and "Retries"
(standard mode). boto3 finds credentials, region and proxies in the usual places of AWS tools.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys.identity import PublicKey
from signer.keys.remote import MALFORMED_ANSWER, RemoteKey, load_client, load_public_key, one_line
from signer.keys.uri import KeyUri, Secret

T = TypeVar("T")

_ATTEMPTS = 6
"""botocore's standard mode doubles the pauses between attempts: about half a minute in total."""
_INVALID_CREDENTIALS = {
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
    """Open the key that `uri` names by identifier, alias or ARN. Raises UsageError and IdentityError."""
    uri.require_known("region", "profile", "endpoint")
    boto3 = load_client("boto3", "aws", "keys in AWS KMS")
    key, holder = uri.name, f"the AWS KMS key {uri.name!r}"
    client = _convert_errors(lambda: _client(boto3, uri), holder)
    found = _convert_errors(lambda: client.get_public_key(KeyId=key), holder)
    usage = found.get("KeyUsage", "nothing")
    if usage != "SIGN_VERIFY":
        raise IdentityError(
            f"the key usage of {holder} is {usage}, not SIGN_VERIFY", hint="Create a key with the usage SIGN_VERIFY."
        )
    public = load_public_key(found.get("PublicKey", b""), holder)
    # Use the ARN: an alias could be moved to another key in the middle of a batch.
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
        name = f"{scheme}{algorithm.size * 8}"
        if name not in allowed or algorithm is DigestAlgorithm.SHA1:
            supported = ", ".join(name for name in allowed if name.startswith(scheme))
            raise IdentityError(
                f"{holder} can't sign {algorithm} digests, only {supported}", hint="Choose another --digest."
            )
        answer = _convert_errors(
            lambda: client.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=name), holder
        )
        signature: bytes = answer.get("Signature", b"")
        return signature

    return sign


def _convert_errors(call: Callable[[], T], holder: str) -> T:
    """Return the result of `call`. Converts exceptions of the client to errors that name `holder`."""
    exceptions = load_client("botocore.exceptions", "aws", "keys in AWS KMS")
    parsers = load_client("botocore.parsers", "aws", "keys in AWS KMS")
    try:
        return call()
    except exceptions.ClientError as error:
        raise _refused(error.response.get("Error", {}), holder) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise WrongSecret(
            f"no AWS credentials were found for {holder}",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add profile= to the URI.",
        ) from error
    except exceptions.NoRegionError as error:
        raise UsageError(
            f"the AWS region of {holder} is not set", field="region", hint="Add region= to the URI."
        ) from error
    except (exceptions.BotoCoreError, parsers.ResponseParserError, *MALFORMED_ANSWER) as error:
        raise IdentityError(
            f"AWS gave no valid answer for {holder}: {one_line(error)}",
            hint="Check the region, the endpoint and the profile.",
        ) from error


def _refused(error: dict[str, str], holder: str) -> IdentityError:
    code, message = error.get("Code", "an error without a code"), error.get("Message", "")
    reason = one_line(f"{code}: {message}" if message else code)
    if code == "NotFoundException":
        return KeyNotFound(f"{holder} was not found ({reason})", hint="Check the name, the region and the account.")
    if code in _INVALID_CREDENTIALS:
        return WrongSecret(
            f"AWS rejected the credentials for {holder} ({reason})", hint="Renew or correct the credentials."
        )
    if code in ("AccessDeniedException", "AccessDenied"):
        return IdentityError(
            f"the credentials do not allow the use of {holder} ({reason})",
            hint="Allow kms:GetPublicKey and kms:Sign in the policy.",
        )
    if code in _THROTTLED:
        return IdentityError(
            f"AWS throttles requests for {holder}, also after {_ATTEMPTS} attempts ({reason})",
            hint="Run the command again later.",
        )
    return IdentityError(f"{holder} can't be used ({reason})")
