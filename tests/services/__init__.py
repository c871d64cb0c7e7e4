"""Real services for tests: each is started on loopback, by us, for as long as the tests need it."""


class ServiceMissing(Exception):
    """A service that a test needs is not installed here.

    :ivar service: its name.
    :ivar remedy: the line that installs it.
    """

    def __init__(self, service: str, remedy: str) -> None:
        super().__init__(f"{service} is not installed: {remedy}")
        self.service = service
        self.remedy = remedy
