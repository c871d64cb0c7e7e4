"""Loading: from the name of a file to a checked configuration, or to everything that is wrong with it."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from .check import check_admin, check_hosts, check_listeners, check_shards
from .convert import Conversion
from .paths import resolve
from .problems import ConfigError, Problem, nearest
from .server import LISTENER_DEFAULTS, Config, Kind, Modules, Tls

__all__ = ["ConfigError", "ModuleConfigs", "Problem", "load", "locate"]

ModuleConfigs = Mapping[str, type | None]
"""The `Config` dataclass of each installed module, by the module's name; None of a module without options."""

_POSITION: Final = re.compile(r" \(at line (\d+), column (\d+)\)$")
_AT_END: Final = " (at end of document)"
_CHECKS: Final = (check_hosts, check_listeners, check_shards, check_admin)


def locate(named: str | None, environment: Mapping[str, str]) -> Path:
    """Return the file that ``--config``, or else the variable ``XMPPD_CONFIG``, names.

    :raises ConfigError: neither names one.
    """
    name = named or environment.get("XMPPD_CONFIG")
    if not name:
        raise ConfigError([Problem("xmppd", (), "no configuration: name it with --config FILE or in XMPPD_CONFIG")])
    return Path(name)


def load(path: Path, module_configs: ModuleConfigs | Callable[[list[str]], ModuleConfigs]) -> Config:
    """Return the configuration in a file.

    :param path: the file; relative paths in it count from its folder.
    :param module_configs: what modules there are, or a function that tells it when given the dotted names to load; it
        raises `LookupError` with the reason if one cannot be loaded.
    :raises ConfigError: with everything that is wrong.
    """
    document = _parse(path, _read(path))
    conversion = Conversion(str(path))
    tables = dict(document)
    module_tables = tables.pop("modules", {})
    if "listeners" in tables:
        tables["listeners"] = _with_listener_defaults(tables["listeners"])
    _explain_bare_domains(tables.get("hosts"), conversion)
    config: Config = conversion.section(Config, tables, ())
    config.modules = _modules(module_tables, module_configs, conversion)
    resolve(config, path.absolute().parent)
    for check in _CHECKS:
        check(config, conversion)
    if conversion.problems:
        raise ConfigError(conversion.problems)
    return config


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        text = "there is no such file: create it (conf/xmppd.toml shows every option) or name another with --config"
    except IsADirectoryError:
        text = "is a folder: name the file in it"
    except PermissionError:
        text = "may not be read by the user that runs the server: change its owner or its mode"
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        text = f"line {line} is not UTF-8: save the file in this encoding"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    raise ConfigError([Problem(str(path), (), text)])


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(str(path), (), _syntax_problem(str(error), text))]) from None
    except RecursionError:
        raise ConfigError([Problem(str(path), (), "is nested too deeply")]) from None


def _syntax_problem(message: str, text: str) -> str:
    """Put the position first; a file that ends too early was probably cut off while it was written."""
    if message.endswith(_AT_END):
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        what = f"{message.removesuffix(_AT_END)}, but the file ends here: is it complete?"
        return f"line {line}, column {column}: {what}"
    position = _POSITION.search(message)
    what = _POSITION.sub("", message)
    return f"line {position[1]}, column {position[2]}: {what}; correct the TOML" if position else what


def _modules(
    table: Any, module_configs: ModuleConfigs | Callable[[list[str]], ModuleConfigs], conversion: Conversion
) -> Modules:
    """Return the section `[modules]` with the sections of the modules below it."""
    if not isinstance(table, Mapping):
        conversion.complain(("modules",), "must be a table: write [modules] and its options below", table)
        table = {}
    lists = {name: table[name] for name in ("load", "disable") if name in table}
    modules: Modules = conversion.section(Modules, lists, ("modules",))
    try:
        known = module_configs(modules.load) if callable(module_configs) else module_configs
    except LookupError as error:
        conversion.complain(("modules", "load"), str(error.args[0]), modules.load)
        return modules
    _check_names(modules.disable, known, conversion)
    sections = {name: section for name, section in table.items() if name not in lists}
    modules.configs = _module_sections(sections, known, conversion)
    return modules


def _module_sections(sections: Mapping[str, Any], known: ModuleConfigs, conversion: Conversion) -> dict[str, Any]:
    for name in sections:
        if name not in known:
            text = f"no module of this name is installed; {nearest(name, (*known, 'load', 'disable'))}"
            conversion.complain(("modules", name), text)
        elif known[name] is None and sections[name]:
            conversion.complain(("modules", name), "this module has no options: remove the table")
    return {
        name: conversion.section(kind, sections.get(name, {}), ("modules", name))
        for name, kind in known.items()
        if kind is not None
    }


def _check_names(names: Iterable[str], known: ModuleConfigs, conversion: Conversion) -> None:
    for number, name in enumerate(names):
        if name not in known:
            text = f"no module of this name is installed; {nearest(name, known)}"
            conversion.complain(("modules", "disable", number), text, name)


def _with_listener_defaults(listeners: Any) -> Any:
    """Return the listeners' tables with the address, port and TLS that their kind implies."""
    if not isinstance(listeners, list):
        return listeners
    return [_listener_defaults(table) | table if isinstance(table, dict) else table for table in listeners]


def _listener_defaults(table: Mapping[str, Any]) -> dict[str, Any]:
    kind, tls = table.get("kind"), table.get("tls")
    if kind not in list(Kind):
        return {}
    implied = Tls(tls) if tls in list(Tls) else Tls.NONE if kind in (Kind.COMPONENT, Kind.HTTP) else Tls.STARTTLS
    address, port = LISTENER_DEFAULTS.get((Kind(kind), implied), ("*", 0))
    return {"tls": implied.value, "address": address, "port": port}


def _explain_bare_domains(hosts: Any, conversion: Conversion) -> None:
    """Complain once, and with the remedy, of ``[hosts.example.org]``, which TOML takes for nested tables."""
    if not isinstance(hosts, dict):
        return
    for name, table in list(hosts.items()):
        rest = "" if "." in name else _bare_rest(table)
        if rest:
            conversion.complain(("hosts", name), f'quote the domain: write [hosts."{name}.{rest}"]')
            del hosts[name]


def _bare_rest(table: Any) -> str:
    """Return the labels that follow the first one of a domain without quotes; empty if there are none."""
    names = [name for name, value in table.items() if isinstance(value, dict)] if isinstance(table, dict) else []
    if not names or difflib.get_close_matches(names[0], ["contacts"]):
        return ""
    rest = _bare_rest(table[names[0]])
    return f"{names[0]}.{rest}" if rest else names[0]
