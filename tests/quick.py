"""Quick compiles, for small runs that compile longer than they compute.

XLA leaves its passes out, and on JAX before 0.12, which can choose, writes its loops for CPU the
older way: that compiles twice as fast. Bits may differ from a user's, but not between a process
where they were chosen and one started with `ENVIRONMENT`.
"""

import os

import jax
from jax._src import compiler  # whose options no public function reaches

_CAN_CHOOSE = jax.__version_info__ < (0, 12)
_FLAG = "xla_cpu_use_fusion_emitters"
_FLAGS = f"{os.environ.get('XLA_FLAGS', '')} --{_FLAG}=false".strip()

OLDER_LOOPS = {"XLA_FLAGS": _FLAGS} if _CAN_CHOOSE else {}
ENVIRONMENT = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", **OLDER_LOOPS}


def choose(quickly: bool) -> None:
    """Compile quickly from now on, or as for users; what the other way compiled is forgotten."""
    if quickly != jax.config.read("jax_disable_most_optimizations"):
        jax.clear_caches()
        jax.config.update("jax_disable_most_optimizations", quickly)


_of_users = compiler.get_compile_options


def _options(*args, **kwargs):
    """A flag in the environment would reach the folders that compile as users do."""
    options = _of_users(*args, **kwargs)
    if _CAN_CHOOSE and jax.config.read("jax_disable_most_optimizations"):
        options.env_option_overrides = [*options.env_option_overrides, (_FLAG, False)]
    return options


compiler.get_compile_options = _options
