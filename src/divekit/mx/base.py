"""``mxnet.base``: what programs import from there."""

import numpy

from divekit.mx.errors import MXNetError

__all__ = ["MXNetError", "integer_types", "numeric_types", "string_types"]

integer_types = (int, numpy.integer)
numeric_types = (float, int, numpy.generic)
string_types = (str,)
