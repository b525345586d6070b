"""Keys made of primes of others are keys as OpenSSL makes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.rsa_keys import quick_rsa_keys

COUNT = 60


@pytest.mark.parametrize(("exponent", "size"), [(65537, 2048), (65537, 1024), (3, 1024)])
def test_keys_differ_have_what_was_asked_for_and_pass_openssl_s_check(exponent: int, size: int) -> None:
    generate = quick_rsa_keys()
    keys = [generate(exponent, size) for _ in range(COUNT)]
    moduli = [key.public_key().public_numbers().n for key in keys]
    assert len(set(moduli)) == COUNT
    assert {(key.key_size, key.public_key().public_numbers().e) for key in keys} == {(size, exponent)}
    for key in (keys[0], keys[1], keys[-1]):
        key.private_numbers().private_key()
    assert generate(public_exponent=exponent, key_size=size).key_size == size


def test_threads_get_different_keys() -> None:
    generate = quick_rsa_keys()
    with ThreadPoolExecutor(8) as pool:
        keys = pool.map(lambda _: generate(65537, 1024), range(40))
    assert len({key.public_key().public_numbers().n for key in keys}) == 40


def test_the_tests_of_this_process_use_such_keys() -> None:
    assert rsa.generate_private_key.__module__ == quick_rsa_keys.__module__
