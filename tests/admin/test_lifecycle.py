"""`server`: the end of the process."""

from .office import Office

ROMEO = "romeo@montague.example/orchard"


def test_shutdown(office: Office) -> None:
    """Shut Down Service: after the delay, and whoever is connected is told before."""
    romeo = office.server.connect(ROMEO)
    done = office.run("server shutdown", delay="120", announcement="Please log off now. --The Admins")
    assert done.text == "the server shuts down in 120 seconds"
    assert done.values == {"restarts": False, "delay": 120}
    romeo.receives(
        f"<message type='headline' from='montague.example' to='{ROMEO}'>"
        "<body>Please log off now. --The Admins</body></message>"
    )
    office.server.advance(119)
    assert office.ends == []
    office.server.advance(1)
    assert office.ends == [False]


def test_restart(office: Office) -> None:
    """Restart Service: likewise, to begin anew; without an announcement nobody is told."""
    romeo = office.server.connect(ROMEO)
    assert office.run("server restart").text == "the server restarts in 30 seconds"
    office.run("server restart", announcement=" \n")
    romeo.receives_nothing()
    office.server.advance(30)
    assert office.ends == [True], "the second took the place of the first"


def test_at_once(office: Office) -> None:
    """Not before this was answered."""
    office.run("server shutdown", delay="0")
    assert office.ends == []
    office.server.advance(1)
    assert office.ends == [False]
