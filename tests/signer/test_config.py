"""drvsign.toml: what is read, and what is refused with the line and the nearest name."""

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


def test_a_whole_profile_is_read() -> None:
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


def test_a_profile_that_does_not_say_is_for_release() -> None:
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
def test_paths_are_those_beside_the_file(uri: str, expected: str) -> None:
    assert one(f'identity = "{uri}"').identity == expected


BAD = {
    "an-unknown-key": ('digset = "sha256"', "no key called 'digset'", "Did you mean digest?", 2),
    "an-underscore": ("page_hashes = true", "no key called 'page_hashes'", "Did you mean page-hashes?", 2),
    "a-password": ('os = []\npassword = "x"', "a secret does not belong", "password-env", 3),
    "a-pin-in-the-uri": ('identity = "pkcs11:object=x?pin-value=1234"', "the identity's URI has one", "pin-source", 2),
    "a-password-in-the-uri": ('identity = "pfx:x.pfx?password=1234"', "the identity's URI has one", "password-env", 2),
    "a-wrong-digest": ('digest = "sha265"', "sha265", None, 2),
    "a-wrong-type": ('page-hashes = "yes"', "true or false, not 'yes'", None, 2),
    "a-number-for-a-list": ("os = 10", "a list of texts, not 10", None, 2),
    "a-list-of-numbers": ("targets = [7]", "a list of texts, not 'list'", None, 2),
    "an-empty-text": ('identity = ""', "a text", None, 2),
    "no-address": ('timestamp = ["timestamp.example"]', "http or https", None, 2),
    "a-wrong-version": ("catalog-version = 3", "1 or 2, not 3", None, 2),
    "a-wrong-trust": ('trust = "everything"', "release", None, 2),
    "no-toml": ("os = [", "not TOML", None, None),
}


@pytest.mark.parametrize(("text", "message", "hint", "line"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_named_with_its_line(text: str, message: str, hint: str | None, line: int | None) -> None:
    with pytest.raises(ConfigError) as caught:
        one(text)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (SOURCE, line)
    assert (hint or "") in (caught.value.hint or "")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"[profiles.release]\n", "no key called 'profiles'"),
        (b'identity = "pfx:x.pfx"\n', "no key called 'identity'"),
        (b'profile = "release"\n', "profiles are tables"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_no_profile_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_profiles(data, SOURCE)


def test_no_secret_is_repeated_in_the_message() -> None:
    with pytest.raises(ConfigError) as caught:
        one('identity = "pkcs11:object=x?pin-value=hunter2"')
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_a_profile_is_found_or_the_nearest_is_named() -> None:
    profiles = parse_profiles(WHOLE.encode(), SOURCE)
    assert find_profile(profiles, "release", SOURCE).name == "release"
    with pytest.raises(ConfigError) as caught:
        find_profile(profiles, "relase", SOURCE)
    assert caught.value.hint == "Did you mean release?"


def test_the_environment_counts_before_the_profile() -> None:
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
    assert found.trust == "release", "what a profile is for is said in the profile alone"
    assert (found.page_hashes, found.catalog_version, found.url) == (False, 1, "https://contoso.example/echo")


def test_a_wrong_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="DRVSIGN_PAGE_HASHES"):
        from_environment({"DRVSIGN_PAGE_HASHES": "perhaps"})


def test_every_key_of_a_profile_is_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "release.md").read_text("utf-8")
    assert [key for key in KEYS if f"`{key}`" not in page] == []
