"""A tool's own settings file, changed as text and changed back: what a person wrote stays."""
