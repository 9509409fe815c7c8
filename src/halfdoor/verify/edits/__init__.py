"""Edits as models write them, tried against the files they are meant for."""
