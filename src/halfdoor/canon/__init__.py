"""Values: frozen, slotted, without behaviour. Everything else speaks these words."""
