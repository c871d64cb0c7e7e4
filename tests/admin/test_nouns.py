"""All nouns together."""

import subprocess
import sys

from xmppd.admin.nouns import declared
from xmppd.core.command_forms import form_for

from .office import Office

XEP_0133 = {
    "add-user": "account add",
    "change-user-password": "account passwd",
    "delete-user": "account delete",
    "disable-user": "account disable",
    "end-user-session": "session kick",
    "get-active-users": "session list-active",
    "get-active-users-num": "session count-active",
    "get-disabled-users-list": "account list-disabled",
    "get-disabled-users-num": "account count-disabled",
    "get-idle-users": "session list-idle",
    "get-idle-users-num": "session count-idle",
    "get-online-users-list": "session list",
    "get-online-users-num": "session count",
    "get-registered-users-list": "account list",
    "get-registered-users-num": "account count",
    "get-user-lastlogin": "account lastlogin",
    "reenable-user": "account enable",
    "restart": "server restart",
    "shutdown": "server shutdown",
}


def test_what_is_declared_is_what_runs(office: Office) -> None:
    """Help with the server down shows just what a running server offers of its own."""
    running = [command.describe() for command in office.registry if command.owner == "xmppd"]
    assert [command.describe() for command in declared()] == running


def test_service_administration() -> None:
    """XEP-0133: the commands have the nodes of the specification; what is missing here, modules bring."""
    prefix = "http://jabber.org/protocol/admin#"
    nodes = {
        command.node.removeprefix(prefix): command.name for command in declared() if command.node.startswith(prefix)
    }
    assert nodes == XEP_0133


def test_forms() -> None:
    """Every command that can be an ad-hoc command has a form, or needs none."""
    for command in declared():
        if command.node:
            form = form_for(command)
            assert (form is None) == (not command.parameters)


def test_everything_is_explained() -> None:
    """Each command has a summary of one line, each parameter a description."""
    for command in declared():
        assert command.summary[0].isupper()
        for parameter in command.parameters:
            assert parameter.argument.help, f"{command.name}: {parameter.name}"


def test_declarations_cost_little() -> None:
    """Reading the declarations imports neither Twisted nor SQLAlchemy, so that `xmppctl` starts at once."""
    script = (
        "import sys; from xmppd.admin.nouns import declared; declared();"
        "sys.exit(bool({'twisted', 'sqlalchemy', 'rich', 'OpenSSL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
