"""drvsign.toml: valid profiles are read; invalid ones are refused with the line and the closest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.config import KEYS, Settings, find_profile, from_environment, merged, parse_profiles
from signer.errors import ConfigError

SOURCE = Path("/driver/drvsign.toml")
WHOLE = """\
[profile.test]
trust = "test-signing"
roots = ["certs/root.cer"]

[profile.release]
identity = "pkcs11:token=EV;object=signing?module-path=/usr/lib/token.so"
certificate = "ev.cer"
password-env = "EV_PIN"
digest = "SHA256"
page-hashes = true
description = "Contoso Echo"
url = "https://contoso.example/echo"
cross-certificates = ["cross.crt"]
timestamp = ["http://one.example", "http://two.example"]
timestamp-digest = "sha256"
legacy-timestamp = ["http://old.example"]
os = ["7_X64", "10_X64"]
catalog-version = 2
targets = ["win7-x64"]
trust = "release"
"""


def one(text: str) -> Settings:
    return parse_profiles(f"[profile.p]\n{text}\n".encode(), SOURCE)["p"].settings


def test_a_profile_with_every_key_is_read() -> None:
    release = parse_profiles(WHOLE.encode(), SOURCE)["release"]
    assert release.is_release
    assert release.settings == Settings(
        identity="pkcs11:token=EV;object=signing?module-path=/usr/lib/token.so",
        certificate=Path("/driver/ev.cer"),
        password_env="EV_PIN",
        digest="sha256",
        page_hashes=True,
        description="Contoso Echo",
        url="https://contoso.example/echo",
        cross_certificates=(Path("/driver/cross.crt"),),
        timestamp=("http://one.example", "http://two.example"),
        timestamp_digest="sha256",
        legacy_timestamp=("http://old.example",),
        os=("7_X64", "10_X64"),
        catalog_version=2,
        targets=("win7-x64",),
        trust="release",
    )


def test_a_profile_without_trust_is_for_release() -> None:
    profiles = parse_profiles(b'[profile.anything]\n[profile.test]\ntrust = "test-signing"\n', SOURCE)
    assert {name: profile.is_release for name, profile in profiles.items()} == {"anything": True, "test": False}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("pfx:dev.pfx", "pfx:/driver/dev.pfx"),
        ("pfx:/etc/dev.pfx", "pfx:/etc/dev.pfx"),
        ("pfx:my%20keys/dev.pfx", "pfx:/driver/my%20keys/dev.pfx"),
        ("file:k.pem?cert=c.cer", "file:/driver/k.pem?cert=/driver/c.cer"),
        ("aws-kms:alias/a?region=x&cert=my%20c.cer", "aws-kms:alias/a?region=x&cert=/driver/my%20c.cer"),
        ("exec:sign --it?cert=c.cer&timeout=9", "exec:sign --it?cert=/driver/c.cer&timeout=9"),
        (
            "pkcs11:token=T;object=O?module-path=/lib/p.so&pin-source=file:pin&cert=c.cer",
            "pkcs11:token=T;object=O?module-path=/lib/p.so&pin-source=/driver/pin&cert=/driver/c.cer",
        ),
        ("pkcs11:token=T?pin-source=file:///run/pin", "pkcs11:token=T?pin-source=file:///run/pin"),
    ],
)
def test_relative_paths_in_a_uri_are_relative_to_the_file(uri: str, expected: str) -> None:
    assert one(f'identity = "{uri}"').identity == expected


BAD = {
    "an-unknown-key": ('digset = "sha256"', "unknown key 'digset'", "Did you mean digest?", 2),
    "an-underscore": ("page_hashes = true", "unknown key 'page_hashes'", "Did you mean page-hashes?", 2),
    "a-password": ('os = []\npassword = "x"', "must not contain a secret", "password-env", 3),
    "a-pin-in-the-uri": (
        'identity = "pkcs11:object=x?pin-value=1234"',
        "the URI of the identity contains one",
        "pin-source",
        2,
    ),
    "a-password-in-the-uri": (
        'identity = "pfx:x.pfx?password=1234"',
        "the URI of the identity contains one",
        "password-env",
        2,
    ),
    "a-wrong-digest": ('digest = "sha265"', "sha265", None, 2),
    "a-wrong-type": ('page-hashes = "yes"', "true or false, not 'yes'", None, 2),
    "a-number-for-a-list": ("os = 10", "a list of strings, not 10", None, 2),
    "a-list-of-numbers": ("targets = [7]", "a list of strings, not 'list'", None, 2),
    "a-nul-in-a-path": ('certs = "a\\u0000b"', "a text without NUL characters", None, 2),
    "a-nul-in-a-list": ('roots = ["a\\u0000b"]', "a text without NUL characters", None, 2),
    "an-empty-string": ('identity = ""', "a string that is not empty", None, 2),
    "no-address": ('timestamp = ["timestamp.example"]', "http or https", None, 2),
    "a-wrong-version": ("catalog-version = 3", "1 or 2, not 3", None, 2),
    "a-wrong-trust": ('trust = "everything"', "release", None, 2),
    "invalid-toml": ("os = [", "invalid TOML", None, None),
}


@pytest.mark.parametrize(("text", "message", "hint", "line"), BAD.values(), ids=BAD)
def test_an_invalid_profile_is_refused_with_the_line(
    text: str, message: str, hint: str | None, line: int | None
) -> None:
    with pytest.raises(ConfigError) as caught:
        one(text)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (SOURCE, line)
    assert (hint or "") in (caught.value.hint or "")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[profiles.release]\n", "unknown key 'profiles'"),
        (b'identity = "pfx:x.pfx"\n', "unknown key 'identity'"),
        (b'profile = "release"\n', "a profile must be a table"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_without_valid_profile_tables_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_profiles(data, SOURCE)


def test_no_secret_is_repeated_in_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        one('identity = "pkcs11:object=x?pin-value=hunter2"')
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_an_unknown_profile_is_refused_with_the_closest_name() -> None:
    profiles = parse_profiles(WHOLE.encode(), SOURCE)
    assert find_profile(profiles, "release", SOURCE).name == "release"
    with pytest.raises(ConfigError) as caught:
        find_profile(profiles, "relase", SOURCE)
    assert caught.value.hint == "Did you mean release?"


def test_the_environment_overrides_the_profile() -> None:
    environment = from_environment(
        {
            "DRVSIGN_IDENTITY": "pfx:other.pfx",
            "DRVSIGN_TIMESTAMP": "http://a.example http://b.example",
            "DRVSIGN_OS": "10_X64,10_VB_X64",
            "DRVSIGN_PAGE_HASHES": "0",
            "DRVSIGN_CATALOG_VERSION": "1",
            "DRVSIGN_URL": "",
            "DRVSIGN_DEBUG": "1",
            "DRVSIGN_TRUST": "test-signing",
        }
    )
    found = merged(environment, parse_profiles(WHOLE.encode(), SOURCE)["release"].settings)
    assert found.identity == "pfx:other.pfx"
    assert found.timestamp == ("http://a.example", "http://b.example")
    assert found.os == ("10_X64", "10_VB_X64")
    assert found.trust == "release", "the environment can't change the trust of a profile"
    assert (found.page_hashes, found.catalog_version, found.url) == (False, 1, "https://contoso.example/echo")


def test_an_invalid_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="DRVSIGN_PAGE_HASHES"):
        from_environment({"DRVSIGN_PAGE_HASHES": "perhaps"})


def test_every_key_of_a_profile_is_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "release.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []
