"""Words that mean something in the files of some target, which nothing else may be called."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import Final

# What the files call their own things.
_OWN: Final = """
x y self axis channels dtype value slope rngs key shape inputs input_shape config jax jnp np npt nnx
eqx nn torch functional keras ops sympy math numpy lean ctx grad output tangents parameters wide
slopes pairs argument EXPRESSION PARAMETERS START
"""

_C_KEYWORDS: Final = """
auto break case char const continue default do double else enum extern float for goto if inline int
long main register restrict return short signed sizeof static struct switch typedef union unsigned
void volatile while typeof typeof_unqual
"""

_CPP_KEYWORDS: Final = """
alignas alignof and and_eq asm bitand bitor bool catch char8_t char16_t char32_t class co_await
co_return co_yield compl concept const_cast consteval constexpr constinit decltype delete
dynamic_cast explicit export false friend mutable namespace new noexcept not not_eq nullptr operator
or or_eq private protected public reflexpr reinterpret_cast requires static_assert static_cast
synchronized template this thread_local throw true try typeid typename using virtual wchar_t xor
xor_eq
"""

# What <math.h> declares for C or C++ beside what of the C library compilers know without a header.
# Most of them exist for other types too, as `cbrtf` and `lgamma_r` do. Found by compiling a
# function of each name that the C library and GCC 12 contain, every warning an error.
_C_FUNCTIONS: Final = """
abort abs acos acosh aligned_alloc alloca asin asinh atan atan2 atanh bcmp bcopy bzero cabs cacos
cacosh calloc carg casin casinh catan catanh cbrt ccos ccosh ceil cexp cimag clock_t clog clog10
conj copysign cos cosh cpow cproj creal csin csinh csqrt ctan ctanh dcgettext dgettext drem erf erfc
execl execle execlp execv execve execvp exit exp exp10 exp2 expm1 fabs fdim feclearexcept fegetenv
fegetexceptflag fegetround feholdexcept feraiseexcept fesetenv fesetexceptflag fesetround
fetestexcept feupdateenv ffs ffsimax finite floor fma fmax fmin fmod fork fpclassify fprintf fputc
fputs free frexp fscanf fwrite gamma gettext hypot ilogb imaxabs index isalnum isalpha isascii
isblank iscntrl isdigit isfinite isgraph isgreater isgreaterequal isinf isless islessequal
islessgreater islower isnan isnormal isprint ispunct isspace issubnormal isunordered isupper
iswalnum iswalpha iswblank iswcntrl iswdigit iswgraph iswlower iswprint iswpunct iswspace iswupper
iswxdigit isxdigit j0 j1 jn key_t labs ldexp lgamma llabs llogb llrint llround log log10 log1p log2
logb lrint lround malloc memchr memcmp memcpy memmove mempcpy memset modf nan nearbyint nextafter
nextdown nexttoward nextup posix_memalign pow pow10 printf putc putchar puts realloc remainder
remquo rindex rint round roundeven scalb scalbln scalbn scanf signbit signgam significand sin sincos
sinh size_t snprintf sprintf sqrt sscanf stpcpy stpncpy strcasecmp strcat strchr strcmp strcpy
strcspn strdup strfmon strftime strlen strncasecmp strncat strncmp strncpy strndup strnlen strpbrk
strrchr strspn strstr tan tanh tgamma time_t toascii tolower toupper towlower towupper trunc uint
vfprintf vfscanf vprintf vscanf vsnprintf vsprintf vsscanf y0 y1 yn
"""
_OTHER_TYPES: Final = re.compile(r"(?:f|l|[fd]\d+x?)?(?:_r|_unlocked)?")

# Macros of <math.h>, <float.h>, <complex.h> and <stdlib.h>, and those that GNU compilers define.
_MACROS: Final = """
CMPLX CMPLXF CMPLXL COMPLEX DECIMAL_DIG EOF ERRNO EXIT_FAILURE EXIT_SUCCESS FD_CLR FD_ISSET FD_SET
FD_SETSIZE FD_ZERO FP_FAST_FMA FP_FAST_FMAF FP_FAST_FMAL FP_ILOGB0 FP_ILOGBNAN FP_INFINITE
FP_INT_DOWNWARD FP_INT_TONEAREST FP_INT_TONEARESTFROMZERO FP_INT_TOWARDZERO FP_INT_UPWARD FP_LLOGB0
FP_LLOGBNAN FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO HUGE_VAL HUGE_VALF HUGE_VALL I I386 INFINITY LINUX
MATH_ERREXCEPT MATH_ERRHANDLING MATH_ERRNO MAXFLOAT MB_CUR_MAX M_1_PI M_2_PI M_2_SQRTPI M_E M_LN10
M_LN2 M_LOG10E M_LOG2E M_PI M_PI_2 M_PI_4 M_SQRT1_2 M_SQRT2 NAN NULL RAND_MAX SNAN SNANF SNANL UNIX
"""
_FLOAT_LIMITS: Final = """
DECIMAL_DIG DIG EPSILON EVAL_METHOD HAS_SUBNORM MANT_DIG MAX MAX_10_EXP MAX_EXP MIN MIN_10_EXP
MIN_EXP RADIX ROUNDS TRUE_MIN
"""
MACROS: Final = frozenset(
    [
        *_MACROS.split(),
        *(f"{kind}_{end}" for kind in ("FLT", "DBL", "LDBL") for end in _FLOAT_LIMITS.split()),
    ]
)

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
_WORDS: Final = frozenset(
    word.lower()
    for word in (
        *_OWN.split(),
        *_C_KEYWORDS.split(),
        *_CPP_KEYWORDS.split(),
        *_ATTRIBUTES.split(),
        *MACROS,
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
    )
)
_FUNCTIONS: Final = frozenset(_C_FUNCTIONS.split())


def is_reserved(name: str) -> bool:
    """Whether a word means something else in the files of some target, whatever its case."""
    word = name.lower()
    return (
        word in _WORDS
        # The files may call an intermediate value so.
        or re.fullmatch(r"t\d+", word) is not None
        or any(
            word[:end] in _FUNCTIONS and _OTHER_TYPES.fullmatch(word[end:])
            for end in range(1, len(word) + 1)
        )
    )
