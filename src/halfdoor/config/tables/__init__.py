"""The tables of the configuration: each field with its unit, its default and one sentence."""
