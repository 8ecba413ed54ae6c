"""The clips that the hall's display speaks with: how they are made, and whose are used."""
