"""How well Nadhir does: every figure of docs/quality.md, measured anew (`make quality`)."""
