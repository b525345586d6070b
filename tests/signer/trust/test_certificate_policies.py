"""Messages about certificate policies name the certificate that breaks a rule, and the one that made the rule."""

from __future__ import annotations

import pytest

from signer.trust.certificate_policies import invalid_policies
from tests.signer.trust.chain_cases import (
    OTHER_POLICY,
    POLICY,
    Built,
    chained,
    forbids_mappings,
    maps,
    policies,
    requires,
)

OWN = policies(POLICY)


@pytest.mark.parametrize(
    ("built", "message"),
    [
        pytest.param(
            chained([OWN], [requires()]),
            "'Leaf' has no valid certificate policy, and 'Leaf' requires one",
            id="the leaf requires one itself",
        ),
        pytest.param(
            chained([OWN, requires(1)], []),
            "'Leaf' has no valid certificate policy, and 'CA 0' requires one",
            id="the CA requires one of the second certificate below it",
        ),
        pytest.param(
            chained([OWN, requires()], [requires()]),
            "'Leaf' has no valid certificate policy, and 'CA 0' requires one",
            id="the CA required one already",
        ),
        pytest.param(
            chained([OWN, requires()], [OWN, requires()], []),
            "'Leaf' has no valid certificate policy, and 'CA 0' requires one",
            id="the upper one of two CAs",
        ),
        pytest.param(
            chained([OWN, forbids_mappings()], [OWN, forbids_mappings()], [OWN, maps((POLICY, OTHER_POLICY))], [OWN]),
            "'CA 2' maps certificate policies, which 'CA 0' forbids",
            id="the upper one of two CAs that forbid mappings",
        ),
    ],
)
def test_a_message_names_both_certificates(built: Built, message: str) -> None:
    path = [built.leaf, *reversed(built.pool), built.root]
    (problem,) = invalid_policies(tuple(one.certificate for one in path))
    assert problem.message == message
