"""The one line that a server which cannot start leaves."""

import pytest

from xmppd.app.start_error import StartError


def test_its_text_is_what_the_operator_reads() -> None:
    """Nothing is put around it, and it is no error of the system's that a broad handler would take."""
    with pytest.raises(StartError) as raised:
        raise StartError("port 5222 is in use: stop what listens there")
    assert str(raised.value) == "port 5222 is in use: stop what listens there"
    assert not isinstance(raised.value, OSError | ValueError)
