"""Looks of people: build, hair, clothes and things, chosen at random from a wardrobe that many share."""

from dataclasses import astuple, dataclass, fields

from reidar_plugin.synthped.seeded_random import SeededRandom

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

SECOND_COLOURS = ("white", "black", "gray", "navy", "red", "beige", "yellow")
BAG_COLOURS = ("black", "navy", "brown", "red", "gray", "green", "beige")
HAIR_STYLES = ("bald", "short", "medium", "long", "ponytail", "bun")
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
    """What can be seen of a person and does not change; no two people of a split have the same look."""

    gender: str  #: male, female
    age: str  #: child, teenager, adult, old
    build: str  #: slim, medium, heavy
    height: int  #: 0 (small) to 4 (tall)
    skin: int  #: 0 (pale) to 4 (dark)
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


def dress(random: SeededRandom) -> Look:
    """A random look; colours, bags and lengths are about as frequent as in MARS' published attributes."""
    female = random.happens(0.42)
    bottom = random.choice(
        ("trousers", "shorts", "skirt", "dress"), (4, 3, 2, 1.2) if female else (6, 4, 0, 0)
    )
    top = random.choice(("shirt", "jacket", "coat", "hoodie"), (7, 2.5, 1.2, 2))
    colour = random.choice(TOP_COLOURS[:8], (30, 6, 9, 15, 17, 26, 8, 14))
    hair = random.choice(HAIR_STYLES, (0, 1, 3, 5, 3, 1) if female else (1, 9, 2, 0.4, 0.3, 0.2))
    return Look(
        gender="female" if female else "male",
        age=random.choice(("child", "teenager", "adult", "old"), (0.3, 8, 3, 0.7)),
        build=random.choice(("slim", "medium", "heavy"), (3, 5, 2)),
        height=random.integer(0, 4),
        skin=random.choice(range(5), (4, 6, 4, 2, 1)),
        hair=hair,
        hair_colour=random.choice(tuple(HAIRS), (9, 6, 4, 2, 1)),
        hat=random.choice(("none", "cap", "beanie", "brim"), (86, 8, 3, 3)),
        hat_colour=random.choice(("black", "navy", "red", "beige", "white", "green")),
        top=top,
        top_colour=colour,
        top_second=random.choice([name for name in SECOND_COLOURS if name != colour]),
        texture=random.choice(("plain", "stripes", "checks", "print"), (50, 20, 14, 16)),
        sleeves=random.choice(("short", "long"), (3, 2)) if top == "shirt" else "long",
        bottom=bottom,
        bottom_colour=random.choice(BOTTOM_COLOURS[:9], (8, 1, 38, 2, 16, 3, 1, 20, 11)),
        shoes=random.choice(("black", "white", "brown", "gray", "red", "blue"), (8, 6, 4, 3, 1.5, 1.5)),
        bag=random.choice(("none", "backpack", "shoulder", "handbag"), (42, 25, 22, 11)),
        bag_colour=random.choice(BAG_COLOURS, (8, 4, 4, 2, 3, 2, 2)),
        item=random.choice(("bag", "cup", "book", "umbrella"), (5, 2, 2, 1.5)),
        item_colour=random.choice(("white", "beige", "red", "blue", "green", "yellow", "brown")),
        vehicle=random.choice(("suitcase", "cart", "pram")),
        right_handed=random.happens(0.8),
    )


def dress_all(number: int, seed: int, crowd: str) -> list[Look]:
    """Looks of all people of a split; whoever looks like somebody before is dressed again.

    Args:
        number: number of people.
        seed: seed of the set.
        crowd: name of the split.
    """
    seen: set[Look] = set()
    people = []
    for person in range(number):
        random = SeededRandom(seed, crowd, person)
        look = dress(random)
        while look in seen:
            look = dress(random)
        seen.add(look)
        people.append(look)
    return people
