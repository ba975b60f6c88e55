"""Atsumi: a self-hosted unified ATS API."""
