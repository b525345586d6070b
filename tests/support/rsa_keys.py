"""RSA keys for tests, most of them without the time that it takes to find primes.

The suite needs more than 500 RSA keys, and OpenSSL takes about 0.1 s for each. Here a few keys are generated,
and others are made of pairs of their primes: 10 keys make 190. No key comes twice, and each has the size and
exponent that was asked for; whoever has two of them can compute the private keys of both, which harms no test.
Programs that a test starts generate their keys as usual.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

_generate = rsa.generate_private_key


def quick_rsa_keys() -> Callable[..., rsa.RSAPrivateKey]:
    """Return a replacement for `rsa.generate_private_key`, which several threads may call."""
    lock = threading.Lock()
    keys = cache(_keys)

    def next_key(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
        with lock:
            return next(keys(public_exponent, key_size))

    return next_key


def _keys(exponent: int, size: int) -> Iterator[rsa.RSAPrivateKey]:
    """Yield keys without end: one of each pair of primes, and then of another generated key with all before it."""
    primes: list[int] = []
    while True:
        numbers = _generate(exponent, size).private_numbers()
        for prime in (numbers.p, numbers.q):
            yield from (_key(other, prime, exponent) for other in primes)
            primes.append(prime)


def _key(p: int, q: int, exponent: int) -> rsa.RSAPrivateKey:
    """Return the key of two primes, without checking again that they are primes."""
    private = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    crt = rsa.rsa_crt_dmp1(private, p), rsa.rsa_crt_dmq1(private, q), rsa.rsa_crt_iqmp(p, q)
    return rsa.RSAPrivateNumbers(p, q, private, *crt, public).private_key(unsafe_skip_rsa_key_validation=True)
