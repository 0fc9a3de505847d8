"""Names that exported files may use, for the function itself and for its trainable parameters."""

from __future__ import annotations

import itertools
import keyword
import re
from collections.abc import Collection
from typing import Final

from grammars.export.lowering import ExportError

MAX_NAME_LENGTH: Final = 60

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# What the files call their own things, and the words of C.
_OWN: Final = """
x self axis channels dtype value slope rngs key shape inputs input_shape config jax jnp np nnx eqx
nn torch functional keras ops sympy math numpy float double int return const static inline if else
for while do switch case break default char short long signed unsigned void struct union enum
typedef extern register auto volatile restrict sizeof goto main
"""

# Functions of <math.h>, each of which also exists with an f at its end.
_MATH: Final = """
acos acosh asin asinh atan atanh ceil copysign cos cosh erf erfc exp expm1 fabs floor fma fmax fmin
fmod log log1p pow remainder rint round sin sinh sqrt tan tanh tgamma trunc j0 j1 jn y0 y1 yn gamma
"""

# Attributes of torch.nn.Module, keras.Layer, flax.nnx.Module and equinox.Module, which a trainable
# parameter of the same name would overwrite.
_ATTRIBUTES: Final = """
T_destination activity_regularizer add_loss add_metric add_module add_variable add_weight apply
autocast bfloat16 buffers build build_from_config built call call_signature_parameters
call_super_init children compile compute_dtype compute_mask compute_output_shape
compute_output_spec count_params cpu cuda dtype_policy dump_patches eval extra_repr forward
from_config get_buffer get_build_config get_config get_extra_state get_parameter get_submodule
get_weights half input input_dtype input_spec ipu iter_children iter_modules load_own_variables
load_state_dict losses metrics metrics_variables modules mtia name named_buffers named_children
named_modules named_parameters non_trainable_variables non_trainable_weights output parameters path
perturb quantization_mode quantize quantized_build quantized_call register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook
register_load_state_dict_pre_hook register_module register_parameter
register_state_dict_post_hook register_state_dict_pre_hook rematerialized_call requires_grad_
save_own_variables set_attributes set_extra_state set_submodule set_weights share_memory sow
state_dict stateless_call supports_jit supports_masking symbolic_call to to_empty train trainable
trainable_variables trainable_weights training type variable_dtype variables weights xpu zero_grad
"""

# Compared without case, since files write the constants of `beta` as `BETA`.
RESERVED: Final = frozenset(
    word.lower()
    for word in (
        *_OWN.split(),
        *_MATH.split(),
        *(f"{word}f" for word in _MATH.split()),
        *_ATTRIBUTES.split(),
        *keyword.kwlist,
        *keyword.softkwlist,
    )
)


def check_name(name: str) -> str:
    """Returns a name that is fit for a function, a class and a file.

    Raises:
        ExportError: If it is not an identifier, has a meaning already, or is too long.
    """
    allowed = f"a letter, then letters, digits and '_', at most {MAX_NAME_LENGTH} in all"
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise ExportError(f"cannot call the function {name[:80]!r}; a name is {allowed}")
    if name.lower() in RESERVED or _is_intermediate(name):
        raise ExportError(
            f"cannot call the function {name!r}: the name has another meaning in the files; "
            f"choose another, such as {name + '_activation'!r}"
        )
    return name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name itself, or the first of `name_`, `name_2`, `name_3` ... that is free.

    Args:
        wanted: What the parameter is called in the expression.
        taken: Further names in lower case that are not free.
    """
    base = wanted.strip("_") or "parameter"
    for name in itertools.chain([base, f"{base}_"], (f"{base}_{i}" for i in itertools.count(2))):
        if not (name.lower() in RESERVED or name.lower() in taken or _is_intermediate(name)):
            return name
    raise AssertionError("unreachable: the candidates never end")


def _is_intermediate(name: str) -> bool:
    """Whether the files may call an intermediate value so: t1, t2 ..."""
    return re.fullmatch(r"[tT]\d+", name) is not None
