"""Walker's alias table in integers: one 64-bit word gives one value, with exactly its weight.

The word's first m bits choose one of 2^m columns, its other bits a place in the column. Below the
column's cut lies the column's own value, above it its alias. Since cuts and weights are integers,
value v is drawn by exactly weights[v] of the 2^64 words.
"""

import numpy as np
from numpy.typing import NDArray

UInt64 = NDArray[np.uint64]


def alias_table(weights: UInt64) -> tuple[UInt64, NDArray[np.int64]]:
    """(cut, alias) of the smallest table of 2^m columns, m >= 1, that holds the weights.

    Columns with less than their share are filled, in order, by values with more than theirs: the
    sweep of Hübschle-Schneider and Sanders 2022, here by prefix sums.

    Args:
      weights: they sum to 2^64, which as 64-bit integers is 0.

    >>> alias_table(np.array([2**63 + 2**62, 2**62], np.uint64))[0].tolist() == [2**63, 2**62]
    True
    """
    if int(np.sum(weights, dtype=np.uint64)) != 0 or len(weights) < 2:
        raise ValueError("the weights must be at least two and sum to 2^64.")
    columns = 2 ** max((len(weights) - 1).bit_length(), 1)
    share = np.uint64(2**64 // columns)
    filled = np.pad(weights, (0, columns - len(weights)))
    small, large = np.flatnonzero(filled <= share), np.flatnonzero(filled > share)
    lacking = np.cumsum(share - filled[small], dtype=np.uint64)
    spare = np.cumsum(filled[large] - share, dtype=np.uint64)
    cut, alias = filled.copy(), np.zeros(columns, np.int64)
    if len(large) == 0:
        return cut, alias  # every column is full
    # A small column takes from the first large value that is not used up before its turn; a value
    # used up becomes a small column itself, and takes from the next large one.
    before = lacking - (share - filled[small])
    giver = np.minimum(np.searchsorted(spare, before, side="right"), len(large) - 1)
    alias[small] = large[giver]
    emptied = np.minimum(np.searchsorted(lacking, spare, side="left"), len(small) - 1)
    cut[large] = share + spare - lacking[emptied]
    alias[large] = large[np.minimum(np.arange(len(large)) + 1, len(large) - 1)]
    return cut, alias
