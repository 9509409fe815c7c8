"""Strategies: each orders permitted targets, one file each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from halfdoor.decide.route import Strategy
from halfdoor.decide.strategies.cheapest import cheapest
from halfdoor.decide.strategies.cloud_first import cloud_first
from halfdoor.decide.strategies.local_first import local_first
from halfdoor.decide.strategies.prefer import prefer

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "prefer": prefer,
        "local_first": local_first,
        "cloud_first": cloud_first,
        "cheapest": cheapest,
    }
)
