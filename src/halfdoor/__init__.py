"""halfdoor: a gateway between coding tools and models that decides what may leave."""

__version__ = "0.1.0"
