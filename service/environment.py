"""Which `INKSEEK_*` variables are settings, which a platform wrote for its own reasons, and which are typos."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from service.errors import UnknownSetting

ENV_PREFIX = "INKSEEK_"

# Kubernetes writes these into each container for each Service of the namespace, as links of Docker did: for one named
# `inkseek` or `inkseek-builder` they begin like ours.
_OF_A_SERVICE = re.compile(
    rf"^{ENV_PREFIX}(\w+_)?"
    r"(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$",
    re.ASCII,
)
_ADDRESS = re.compile(r"^(tcp|udp|sctp)://\S+$", re.ASCII)


def written_by_platform(variable: str, value: str) -> bool:
    """Whether an orchestrator's service discovery wrote the variable, and nobody meant a setting by it."""
    name = variable.upper()
    if not _OF_A_SERVICE.match(name):
        return False
    # `INKSEEK_PORT` is a setting too; what a platform writes there is an address.
    return not name.endswith("_PORT") or "_SERVICE_" in name or bool(_ADDRESS.match(value)) or "_TCP_" in name


def platform_variables(environment: Mapping[str, str]) -> list[str]:
    """The variables that a platform wrote, in order."""
    return sorted(variable for variable, value in environment.items() if written_by_platform(variable, value))


def reject_unknown_variables(environment: Mapping[str, str], settings: Collection[str]) -> None:
    """Raises UnknownSetting when a variable has our prefix but names none of `settings`: a typo would be ignored.

    `settings`: the names without prefix, in lower case.
    """
    known = [ENV_PREFIX + name.upper() for name in settings]
    for variable in sorted(environment):
        name = variable.upper()
        if not name.startswith(ENV_PREFIX) or name in known or written_by_platform(variable, environment[variable]):
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        raise UnknownSetting(f"{variable} is not a setting: {hint}")
