"""What tests need that is no Python package: databases, brokers and other people's programs."""


class ServiceMissing(Exception):
    """A service that a test needs cannot be had here.

    :ivar service: its name.
    :ivar remedy: the line that installs it.
    """

    def __init__(self, service: str, remedy: str) -> None:
        super().__init__(f"{service} is missing: {remedy}")
        self.service = service
        self.remedy = remedy
