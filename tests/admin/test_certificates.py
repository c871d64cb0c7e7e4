"""`cert`: the certificates that hosts present."""

from datetime import UTC, datetime
from pathlib import Path

from .office import CertificateInfo, Office


def test_list(office: Office) -> None:
    """A certificate is shown with how long it is valid and what is wrong with it."""
    office.certificates = [
        CertificateInfo("montague.example", ("montague.example",)),
        CertificateInfo("capulet.example", (), warnings=("expired on 2010-05-31; renew it",)),
    ]
    noon = datetime(2010, 5, 31, 12, tzinfo=UTC)
    file = Path("montague.crt")
    assert office.rows("cert list") == [
        ["montague.example", ("montague.example",), "Let's Encrypt", noon, 30, ["right"], file],
        ["capulet.example", (), "Let's Encrypt", noon, 30, ("expired on 2010-05-31; renew it",), file],
    ]
