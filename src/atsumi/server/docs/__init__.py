"""Readable documentation: one page for each API surface, made of the surface's own OpenAPI document."""
