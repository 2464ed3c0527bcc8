"""Shared by all folders of tests; being here, it also makes `oracles` importable from them."""

from hypothesis import settings

# a busy machine may take long over one example; that says nothing about the code
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
