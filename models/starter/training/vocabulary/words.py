"""Words that dress a scene: hours, weathers, palettes, colours, sizes, how near it is; and the rules of articles."""

TIMES: dict[str, tuple[str, ...]] = {
    "dawn": ("at dawn", "at sunrise", "in the early morning", "at daybreak", "in morning light", "at first light"),
    "day": ("by day", "during the day", "at noon", "in daylight", "in the afternoon", "on a bright day", "daytime"),
    "sunset": ("at sunset", "at dusk", "in the evening", "in the golden hour", "at twilight", "in evening light"),
    "night": ("at night", "by night", "at midnight", "late at night", "under the stars", "in the dark of night"),
}

WEATHERS: dict[str, tuple[str, ...]] = {
    "clear": ("under a clear sky", "in clear weather", "clear sky", "cloudless"),
    "rain": ("in the rain", "in heavy rain", "rainy", "rain", "in a drizzle", "wet weather"),
    "snow": ("in the snow", "in falling snow", "snowy", "snow", "in winter", "snowfall"),
    "fog": ("in the fog", "in thick mist", "foggy", "misty", "in the mist", "fog"),
    "storm": ("in a storm", "in a thunderstorm", "stormy", "with lightning", "during a storm", "thunderstorm"),
    "cloudy": ("under clouds", "under a cloudy sky", "cloudy", "overcast", "clouds"),
}

STYLES: dict[str, tuple[str, ...]] = {
    "none": (
        "flat vector illustration",
        "flat vector illustration with natural colors",
        "clean poster illustration",
        "storybook illustration",
        "minimalist vector art",
    ),
    "warm": (
        "flat vector illustration with warm colors",
        "warm amber tones",
        "golden tones",
        "warm palette",
        "cozy warm colors",
    ),
    "cold": (
        "flat vector illustration with cold colors",
        "icy blue tones",
        "cool palette",
        "cold blue light",
        "cool blue tones",
    ),
    "neon": (
        "flat vector illustration with neon colors",
        "neon lights",
        "cyberpunk neon",
        "synthwave neon palette",
        "vibrant neon glow",
    ),
    "pastel": (
        "flat vector illustration with pastel colors",
        "soft pastel palette",
        "dreamy pastel",
        "gentle pastel tones",
        "soft colors",
    ),
    "noir": (
        "flat vector illustration in black and white",
        "film noir",
        "monochrome",
        "noir, black and white",
        "grayscale poster",
    ),
    "vintage": (
        "flat vector illustration in vintage sepia",
        "vintage poster colors",
        "sepia tones",
        "retro poster",
        "faded old poster",
    ),
}
"""The palette of the whole picture, in words; the keys are also called moods."""

MOODS: tuple[str, ...] = tuple(STYLES)

COLORS: dict[str, tuple[str, ...]] = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "copper"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "emerald"),
    "blue": ("blue", "azure"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rosy"),
    "white": ("white", "silver"),
    "black": ("black", "dark"),
    "brown": ("brown", "wooden brown"),
}

SIZES: dict[str, tuple[str, ...]] = {
    "small": ("small", "tiny", "little"),
    "normal": ("",),
    "large": ("large", "huge", "giant", "big", "towering"),
}

CLOTHES: tuple[str, ...] = ("coat", "jacket", "cloak", "dress", "sweater", "scarf and coat", "shirt")
"""What a colour of a person colours: `a young woman in a red coat`."""

ACTIONS: tuple[str, ...] = (
    "stands", "waits", "walks", "looks around", "rests", "stops", "smiles", "watches", "dreams", "works", "listens",
    "arrives", "explores", "stays", "thinks", "searches",
)  # fmt: skip
"""Verbs a caption uses between a character and a place; they change nothing that is drawn."""

CLOSE: tuple[str, ...] = ("seen up close", "up close", "close-up", "in close-up")
"""Said of a picture that one thing fills; a plain caption of one thing means the same."""

FAR: tuple[str, ...] = ("in the distance", "far away", "seen from afar", "on the horizon")
"""Said of a single thing that is small in the picture."""

_UNCOUNTED = (
    "people treasure flames children friends bread cheese butter coffee tea juice lemonade wine honey jam marmalade"
    " soup salad money mail luggage yarn wool thread knitting chess glasses spectacles sunglasses goggles scissors"
    " shears pliers stairs steps grapes berries armor dice candy pudding mankind rice porridge stew noodles ramen curry cereal"
    " soda cola milk water beer cocoa chocolate vinegar perfume medicine ketchup frost electricity clockwork machinery"
    " binoculars eyeglasses pyjamas cotton basil bamboo caramel toffee binoculars camembert cheddar"
)
UNCOUNTED: frozenset[str] = frozenset(_UNCOUNTED.split())
"""Nouns that take no `a`: masses and plurals."""


def with_article(noun: str) -> str:
    """`oak tree` -> `an oak tree`, `red bread` -> `red bread`."""
    if noun.rpartition(" ")[2] in UNCOUNTED and not noun.startswith(("pair of", "cup of", "loaf of", "jar of")):
        return noun
    vowel = noun.startswith("hour") or (noun[0].lower() in "aeiou" and not noun.startswith(("uni", "ufo")))
    return f"an {noun}" if vowel else f"a {noun}"


def bare(phrase: str) -> str:
    """A phrase without its leading article, for lists of tags."""
    for article in ("the ", "a ", "an "):
        if phrase.startswith(article):
            return phrase.removeprefix(article)
    return phrase
