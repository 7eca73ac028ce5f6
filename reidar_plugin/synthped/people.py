"""Who walks the street: the look of a person, drawn from a wardrobe that many share."""

from dataclasses import astuple, dataclass, fields

from .dice import Dice

__all__ = ["BOTTOM_COLOURS", "COLOURS", "TOP_COLOURS", "Look", "dress", "dress_all"]

TOP_COLOURS = ("black", "purple", "green", "blue", "gray", "white", "yellow", "red", "complex")
BOTTOM_COLOURS = ("white", "purple", "black", "green", "gray", "pink", "yellow", "blue", "brown", "complex")
"""Values of ``Tops.c`` and ``Bottoms.c`` in the attribute file, in the order of their numbers."""

COLOURS = {
    "black": (40, 40, 44),
    "purple": (104, 72, 128),
    "green": (66, 108, 74),
    "blue": (54, 84, 142),
    "gray": (132, 134, 136),
    "white": (228, 226, 220),
    "yellow": (208, 172, 76),
    "red": (166, 50, 50),
    "pink": (206, 142, 150),
    "brown": (110, 80, 58),
    "beige": (196, 178, 148),
    "navy": (40, 50, 84),
}
"""The palette, RGB in daylight."""

SKINS = ((238, 200, 174), (222, 178, 146), (190, 142, 108), (142, 98, 70), (98, 66, 48))
HAIRS = {
    "black": (34, 30, 30),
    "dark": (64, 46, 36),
    "brown": (104, 72, 48),
    "fair": (188, 152, 96),
    "gray": (160, 158, 156),
}


@dataclass(frozen=True)
class Look:
    """Everything about a person that shows and stays: no two people of a set have all of it alike."""

    gender: str  #: male, female
    age: str  #: child, teenager, adult, old
    build: str  #: slim, medium, heavy
    height: int  #: 0 ... 4, of people of that age
    skin: int  #: 0 (pale) ... 4 (dark)
    hair: str  #: bald, short, medium, long, ponytail, bun
    hair_colour: str
    hat: str  #: none, cap, beanie, brim
    hat_colour: str
    top: str  #: shirt, jacket, coat, hoodie
    top_colour: str
    top_second: str  #: the other colour of a texture, the lining of a jacket
    texture: str  #: plain, stripes, checks, print
    sleeves: str  #: short, long
    bottom: str  #: trousers, shorts, skirt, dress
    bottom_colour: str
    shoes: str
    bag: str  #: none, backpack, shoulder, handbag
    bag_colour: str
    item: str  #: what is carried when something is carried: bag, cup, book, umbrella
    item_colour: str
    vehicle: str  #: the trolley, when there is one: suitcase, cart, pram
    right_handed: bool

    @property
    def top_name(self) -> str:
        """Value of ``Tops.c``: checks count as complex."""
        return "complex" if self.texture == "checks" else self.top_colour

    @property
    def bottom_name(self) -> str:
        """Value of ``Bottoms.c``."""
        return self.bottom_colour

    def row(self) -> list[str]:
        """Values of all fields, as text."""
        return [str(value) for value in astuple(self)]

    @staticmethod
    def columns() -> list[str]:
        """Names of all fields."""
        return [field.name for field in fields(Look)]


def dress(dice: Dice) -> Look:
    """A person; shares of colours, bags and lengths near those that MARS' published attributes count."""
    female = dice.chance(0.42)
    bottom = dice.pick(("trousers", "shorts", "skirt", "dress"), (4, 3, 2, 1.2) if female else (6, 4, 0, 0))
    top = dice.pick(("shirt", "jacket", "coat", "hoodie"), (7, 2.5, 1.2, 2))
    colour = dice.pick(TOP_COLOURS[:8], (30, 6, 9, 15, 17, 26, 8, 14))
    hair = dice.pick(
        ("bald", "short", "medium", "long", "ponytail", "bun"),
        (0, 1, 3, 5, 3, 1) if female else (1, 9, 2, 0.4, 0.3, 0.2),
    )
    return Look(
        gender="female" if female else "male",
        age=dice.pick(("child", "teenager", "adult", "old"), (0.3, 8, 3, 0.7)),
        build=dice.pick(("slim", "medium", "heavy"), (3, 5, 2)),
        height=dice.integer(0, 4),
        skin=dice.pick(range(5), (4, 6, 4, 2, 1)),
        hair=hair,
        hair_colour=dice.pick(tuple(HAIRS), (9, 6, 4, 2, 1)),
        hat=dice.pick(("none", "cap", "beanie", "brim"), (86, 8, 3, 3)),
        hat_colour=dice.pick(("black", "navy", "red", "beige", "white", "green")),
        top=top,
        top_colour=colour,
        top_second=dice.pick(
            [name for name in ("white", "black", "gray", "navy", "red", "beige", "yellow") if name != colour]
        ),
        texture=dice.pick(("plain", "stripes", "checks", "print"), (50, 20, 14, 16)),
        sleeves=dice.pick(("short", "long"), (3, 2)) if top == "shirt" else "long",
        bottom=bottom,
        bottom_colour=dice.pick(BOTTOM_COLOURS[:9], (8, 1, 38, 2, 16, 3, 1, 20, 11)),
        shoes=dice.pick(("black", "white", "brown", "gray", "red", "blue"), (8, 6, 4, 3, 1.5, 1.5)),
        bag=dice.pick(("none", "backpack", "shoulder", "handbag"), (42, 25, 22, 11)),
        bag_colour=dice.pick(
            ("black", "navy", "brown", "red", "gray", "green", "beige"), (8, 4, 4, 2, 3, 2, 2)
        ),
        item=dice.pick(("bag", "cup", "book", "umbrella"), (5, 2, 2, 1.5)),
        item_colour=dice.pick(("white", "beige", "red", "blue", "green", "yellow", "brown")),
        vehicle=dice.pick(("suitcase", "cart", "pram")),
        right_handed=dice.chance(0.8),
    )


def dress_all(number: int, seed: int, crowd: str) -> list[Look]:
    """``number`` people of whom no two look alike; one who does is sent home to change."""
    seen: set[Look] = set()
    people = []
    for person in range(number):
        dice = Dice(seed, crowd, person)
        look = dress(dice)
        while look in seen:
            look = dress(dice)
        seen.add(look)
        people.append(look)
    return people
