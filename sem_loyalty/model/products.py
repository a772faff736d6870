"""Products of constructs, for interactions and curves: which items are multiplied, and the model text that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sem_loyalty.errors import SpecificationError
from sem_loyalty.model.tokens import write_name

#: The items of the two factors of each product construct, by its name in the model.
Products = Mapping[str, tuple[Sequence[str], Sequence[str]]]


@dataclass(frozen=True, slots=True)
class ProductIndicator:
    """The product of two items.

    Attributes
    ----------
    construct : str
        Product construct that it measures.
    first, second : str
        Items.
    """

    construct: str
    first: str
    second: str

    @property
    def name(self) -> str:
        """Its column and its name in model texts: both items with a dot between."""
        return f"{self.first}.{self.second}"


def product_pairs(products: Products, *, matched: bool) -> tuple[ProductIndicator, ...]:
    """Return the products of items that measure each product construct.

    Parameters
    ----------
    products : mapping of str to (sequence of str, sequence of str)
        Items of the two factors by name of the product construct; the same items twice for a square.
    matched : bool
        Pair the first item with the first, the second with the second; or else all with all.

    Returns
    -------
    tuple of ProductIndicator

    Raises
    ------
    SpecificationError
        Matched items that differ in number, no items, an item named twice, or factors that share some items only.
    """
    found: list[ProductIndicator] = []
    for construct, (first, second) in products.items():
        one, other = tuple(first), tuple(second)
        if not one or not other or len(set(one)) < len(one) or len(set(other)) < len(other):
            raise SpecificationError(f"{construct}: each factor needs items, each named once.")
        square = one == other
        if not square and set(one) & set(other):
            raise SpecificationError(f"{construct}: its factors share {min(set(one) & set(other))}; a square has the "
                                     "same items twice, in the same order.")  # fmt: skip
        if matched and len(one) != len(other):
            raise SpecificationError(
                f"{construct}: {len(one)} and {len(other)} items cannot be matched; leave out the least reliable, or "
                "give matched=False for all products."
            )
        if matched:
            pairs = list(zip(one, other, strict=True))
        elif square:
            pairs = [(a, b) for i, a in enumerate(one) for b in one[i:]]
        else:
            pairs = [(a, b) for a in one for b in other]
        found += [ProductIndicator(construct, a, b) for a, b in pairs]
    return tuple(found)


def product_syntax(products: Products, *, matched: bool = True, orthogonal: Sequence[str] = ()) -> str:
    """Return the model text of product constructs: loadings, and covariances of the errors of products.

    Parameters
    ----------
    products : mapping of str to (sequence of str, sequence of str)
        Items of the two factors by name of the product construct.
    matched : bool, default True
        As for `product_indicators`.
    orthogonal : sequence of str, default ()
        Constructs with which the products do not covary: the factors, where products are residual-centred.

    Returns
    -------
    str
        lavaan text, to be put after the measurement of the factors.

    Raises
    ------
    SpecificationError
        As for `product_pairs`.

    Notes
    -----
    With x = l f + e and z = m g + d, x z - l m f g holds l f d + m g e + e d: products that share an item share its
    error, so their residuals covary (Marsh, Wen and Hau 2004, doi:10.1037/1082-989X.9.3.275).

    Examples
    --------
    >>> from sem_loyalty.model.products import product_syntax
    >>> print(product_syntax({"AxB": (["a1", "a2"], ["b1", "b2"])}, matched=False))
    AxB =~ a1.b1 + a1.b2 + a2.b1 + a2.b2
    a1.b1 ~~ a1.b2 + a2.b1
    a1.b2 ~~ a2.b2
    a2.b1 ~~ a2.b2
    <BLANKLINE>
    """
    pairs = product_pairs(products, matched=matched)
    lines = []
    for construct in products:
        measured = " + ".join(pair.name for pair in pairs if pair.construct == construct)
        lines.append(f"{write_name(construct)} =~ {measured}")
    shared: dict[str, list[str]] = {}
    for one, other in combinations(pairs, 2):
        if one.name != other.name and {one.first, one.second} & {other.first, other.second}:
            shared.setdefault(one.name, []).append(other.name)
    lines += [f"{name} ~~ {' + '.join(others)}" for name, others in shared.items()]
    if orthogonal:
        lines += [f"{write_name(construct)} ~~ {' + '.join(f'0*{name}' for name in orthogonal)}"
                  for construct in products]  # fmt: skip
    return "\n".join([*lines, ""])
