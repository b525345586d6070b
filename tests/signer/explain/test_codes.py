"""Codes are read in every spelling that Windows, tools and people use."""

from __future__ import annotations

import pytest

from signer.codeintegrity.status import _INSTALL, _KERNEL, _USER
from signer.explain.codes import code_of, codes_in, parse_code
from signer.explain.phrases import means_of

SPELLINGS = {
    "Code 52": ("52", "Code 52", "code 52", "(Code 52)", "CM_PROB_UNSIGNED_DRIVER", "0x34"),
    "0xC0000428": (
        "0xC0000428",
        "0xc0000428",
        "C0000428",
        "3221226536",
        "-1073740760",
        "STATUS_INVALID_IMAGE_HASH",
        "status_invalid_image_hash",
    ),
    "577": ("577", "0x241", "error 577", "0x80070241", "ERROR_INVALID_IMAGE_HASH", "Error: 577"),
    "0x800B0109": ("0x800B0109", "800b0109", "CERT_E_UNTRUSTEDROOT", "-2146762487"),
    "0xE0000247": ("0xE0000247", "E0000247", "0x800F0247", "ERROR_DRIVER_STORE_ADD_FAILED"),
    "0xE000022F": ("E000022F", "0xe000022f", "-536870353"),
    "3077": ("3077", "event 3077", "Event ID: 3077"),
    "Code 39": ("39", "Code 39", "0x27"),
    "1275": ("1275", "0x4FB", "0x800704FB"),
}


@pytest.mark.parametrize(
    ("word", "code"), [(word, code) for code, words in SPELLINGS.items() for word in words], ids=lambda one: str(one)
)
def test_spelling(word: str, code: str) -> None:
    found = parse_code(word)
    assert found is not None
    assert found.text == code


@pytest.mark.parametrize("word", ["", "0", "hello", "0x", "99999", "0xDEADBEEF", "Code", "Code 999", "-", "²", "1e3"])
def test_other_words_are_no_codes(word: str) -> None:
    assert parse_code(word) is None


def test_codes_in_a_sentence_are_found_in_order_and_plain_numbers_are_not() -> None:
    text = "52 files, 577 lines; NtLoadDriver: 0xC0000603, then [SC] StartService FAILED 1275 and CERT_E_CHAINING"
    assert [code.text for code in codes_in(text)] == ["0xC0000603", "1275", "0x800B010A"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The driver may be corrupted or missing. (Code 39)", "Code 39"),
        ("Le pilote ne peut pas être vérifié. (Code 52)", "Code 52"),
        ("No se puede comprobar la firma digital (Código 52)", "Code 52"),
        ("Impossibile verificare la firma digitale. (Codice 52)", "Code 52"),
        ("Windows не удалось проверить цифровую подпись (Код 52)", "Code 52"),
        ("Windows 无法验证此设备所需的驱动程序的数字签名。 (代码 52)", "Code 52"),
        ("このデバイスに必要なドライバーのデジタル署名を検証できません。 (コード 52)", "Code 52"),
    ],
)
def test_problem_codes_of_device_manager_are_read_in_each_language(text: str, code: str) -> None:
    assert code in means_of(text)[0]


def test_every_code_that_drvsign_predicts_can_be_explained() -> None:
    predicted = {text for row in _KERNEL.values() for text in row[:2] if text}
    for text in predicted | set(_USER.values()) | set(_INSTALL.values()):
        assert code_of(text).meaning
