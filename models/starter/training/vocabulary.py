"""The words the starter image model knows: settings, times, weathers, moods, objects, colours, sizes.

Plain data and three lookups; it draws nothing and imports nothing but the standard library. The illustrator draws a
scene named by these keys, its captions say the same scene in these words, and the text model writes image prompts in
them. Keys are stable: other programs and the recorded figures refer to them.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["urban", "nature", "water", "indoor", "space"]
Kind = Literal["person", "animal", "vehicle", "building", "plant", "thing", "sky"]


@dataclass(frozen=True)
class Setting:
    """A place. `phrases` carry their natural article; the first is the plainest. `objects` are the keys that suit it."""

    key: str
    family: Family
    preposition: str
    phrases: tuple[str, ...]
    objects: tuple[str, ...]
    shows_time: bool = True
    shows_weather: bool = True


@dataclass(frozen=True)
class Thing:
    """Something that stands, flies or swims in a setting. `nouns` have no article; the first is the plainest."""

    key: str
    kind: Kind
    nouns: tuple[str, ...]
    plural: bool = False
    colored: bool = True


def _setting(
    key: str,
    family: Family,
    preposition: str,
    phrases: str,
    objects: str,
    *,
    shows_time: bool = True,
    shows_weather: bool = True,
) -> tuple[str, Setting]:
    words = tuple(phrase.strip() for phrase in phrases.split(","))
    return key, Setting(key, family, preposition, words, tuple(objects.split()), shows_time, shows_weather)


def _thing(key: str, kind: Kind, nouns: str, *, plural: bool = False, colored: bool = True) -> tuple[str, Thing]:
    return key, Thing(key, kind, tuple(noun.strip() for noun in nouns.split(",")), plural, colored)


_PEOPLE = "woman man girl boy elder explorer"

SETTINGS: dict[str, Setting] = dict(
    [
        # urban
        _setting(
            "city",
            "urban",
            "in",
            "the city, a city skyline, a big city, a modern city, the skyscrapers, the downtown skyline, a cityscape,"
            " the metropolis, a futuristic city, tall buildings, glass towers, the megacity, the capital",
            f"moon sun train tower robot birds car crowd plane balloon ufo rocket bicycle bridge cat dog {_PEOPLE}",
        ),
        _setting(
            "street",
            "urban",
            "on",
            "a street, a city street, a narrow street, a busy street, an alley, an avenue, a boulevard, a side street,"
            " a quiet lane between houses, a crossroads, the neighborhood, a back alley, the sidewalk",
            f"robot car cat dog crowd lamp moon bicycle clock train scientist umbrella {_PEOPLE}",
        ),
        _setting(
            "market",
            "urban",
            "at",
            "a market, a street market, a bazaar, market stalls, a busy market square, a village fair, a marketplace,"
            " a spice market, a night market, shops with striped awnings, a carnival, a festival",
            f"crowd cat dog lamp robot elephant horse balloon chest guitar king cake {_PEOPLE}",
        ),
        _setting(
            "village",
            "urban",
            "in",
            "a village, a small village, a little town, a hillside village, an old town, a hamlet, cozy cottages,"
            " a rural village, rooftops of a small town, the town, the hometown",
            f"moon sun birds cat dog windmill tree balloon train crowd car dragon horse bicycle clock {_PEOPLE}",
        ),
        _setting(
            "castle",
            "urban",
            "at",
            "a castle, an old castle, a medieval castle, a castle on a hill, a fortress, a fairy-tale castle,"
            " a royal palace, a citadel, a kingdom, the palace, a stronghold",
            "dragon moon sun birds knight king wizard horse crowd tree balloon owl statue chest woman man girl boy elder",
        ),
        _setting(
            "pagoda",
            "urban",
            "at",
            "a pagoda, a temple with curved roofs, a japanese temple, a shrine, a chinese temple, a pagoda on a hill,"
            " a tea house with curved roofs, an eastern palace, a monastery",
            "moon sun birds tree lamp dragon flowers cat crowd knight statue cup woman man girl boy elder robot",
        ),
        _setting(
            "ruins",
            "urban",
            "at",
            "ancient ruins, ruins, a greek temple, marble columns, stone ruins, a roman forum, an old temple,"
            " crumbling columns, a lost city, an archaeological site, the ancient city, an ancient temple",
            f"statue sun moon birds tree crowd robot cat chest horse knight king fire {_PEOPLE}",
        ),
        _setting(
            "pyramids",
            "urban",
            "at",
            "the pyramids, pyramids, ancient egypt, the great pyramid, pyramids in the desert, a pharaoh's tomb,"
            " pyramids on the sand, the tombs of the pharaohs",
            f"sun moon birds statue crowd cat ufo king chest horse tent balloon {_PEOPLE}",
        ),
        # nature
        _setting(
            "forest",
            "nature",
            "in",
            "the forest, a pine forest, the woods, a dense forest, the deep woods, an evergreen forest, woodland,"
            " a dark forest, pine trees, an enchanted forest, the trees",
            f"moon sun birds house tent cat dog fox owl robot dragon ufo mushroom fire lamp horse wizard rabbit {_PEOPLE}",
        ),
        _setting(
            "jungle",
            "nature",
            "in",
            "the jungle, a rainforest, a tropical forest, a dense jungle, a lush rainforest, palm trees and ferns,"
            " the amazon, a tropical jungle",
            f"birds statue robot dragon cat sun tent moon elephant dinosaur butterflies mushroom chest {_PEOPLE}",
        ),
        _setting(
            "mountains",
            "nature",
            "in",
            "the mountains, a mountain range, snowy peaks, high mountains, a mountain landscape, an alpine valley,"
            " the alps, the summit, the highlands, rocky peaks, a mountain pass",
            f"moon sun birds house tent train balloon plane dragon tree rocket fire dog horse telescope {_PEOPLE}",
        ),
        _setting(
            "volcano",
            "nature",
            "near",
            "a volcano, an erupting volcano, a burning mountain, glowing lava, a smoking volcano, rivers of lava,"
            " a volcanic land, the eruption",
            f"dinosaur dragon birds moon crowd robot plane ufo scientist wizard {_PEOPLE}",
        ),
        _setting(
            "waterfall",
            "nature",
            "by",
            "a waterfall, a tall waterfall, a river gorge with a waterfall, falling water between cliffs, a cascade,"
            " a canyon with a waterfall, a spring between rocks",
            f"birds tent tree fox dinosaur dragon butterflies robot horse elephant sun moon boat {_PEOPLE}",
        ),
        _setting(
            "desert",
            "nature",
            "in",
            "the desert, sand dunes, a hot desert, a sandy desert, the dunes, an arid desert, the wasteland,"
            " dry badlands, a desert plain, the sahara",
            f"sun moon robot car rocket tent statue ufo birds train plane crowd horse elephant chest fire {_PEOPLE}",
        ),
        _setting(
            "field",
            "nature",
            "in",
            "a field, farmland, a wheat field, the countryside, a farm field, plowed fields, rolling farmland,"
            " a plantation, an open plain, the prairie, a farm, crops",
            f"windmill tree house birds sun moon balloon car train flowers bees robot plane ufo horse dog rabbit {_PEOPLE}",
        ),
        _setting(
            "garden",
            "nature",
            "in",
            "a garden, a meadow, a flower garden, a park, a flower meadow, a spring meadow, a blooming garden,"
            " an orchard, a grassy park, wildflowers, a lawn",
            f"flowers bees birds cat dog tree statue sun house robot balloon butterflies rabbit bicycle guitar {_PEOPLE}",
        ),
        _setting(
            "arctic",
            "nature",
            "in",
            "the arctic, icebergs, polar ice, a frozen sea, antarctica, ice floes, a glacier, the frozen tundra,"
            " the north pole, an icy land",
            f"boat whale moon sun tent birds robot plane dog house penguins fox {_PEOPLE}",
        ),
        _setting(
            "cave",
            "nature",
            "in",
            "a cave, a crystal cave, a cavern, an underground cave, a glowing cavern, a grotto, a dark cave, a mine,"
            " a tunnel under the ground, the underworld",
            f"crystal robot lamp dragon chest fire knight wizard mushroom dinosaur {_PEOPLE}",
            shows_time=False,
            shows_weather=False,
        ),
        # water
        _setting(
            "ocean",
            "water",
            "on",
            "the ocean, the open sea, the sea, waves, a wide sea, a seascape, the open ocean, water to the horizon,"
            " the waves, the atlantic",
            "boat lighthouse moon sun birds whale plane ufo balloon dragon fish",
        ),
        _setting(
            "harbor",
            "water",
            "at",
            "a harbor, a port, a pier, the docks, a fishing harbor, a harbor town, a quay with boats, the waterfront,"
            " a seaside town, a marina",
            f"boat lighthouse moon sun birds crowd cat car bicycle lamp chest whale {_PEOPLE}",
        ),
        _setting(
            "island",
            "water",
            "on",
            "an island, a tropical island, a small island, a palm island, a beach, a desert island, a sandy beach,"
            " an island with palm trees, an atoll, the shore",
            f"boat lighthouse moon sun birds house tent chest fire whale dinosaur plane {_PEOPLE}",
        ),
        _setting(
            "lake",
            "water",
            "by",
            "a lake, a mountain lake, a quiet lake, a calm lake, a river, a lakeside, a wide river, a riverbank,"
            " a river valley, still water, a pond",
            f"boat moon sun birds tent house tree bridge cat dog fire horse fox {_PEOPLE}",
        ),
        _setting(
            "underwater",
            "water",
            "in",
            "the underwater world, underwater, a coral reef, the ocean floor, the deep sea, under the sea, the seabed,"
            " beneath the waves, the deep ocean",
            "fish whale robot boat chest statue jellyfish crystal",
            shows_time=False,
            shows_weather=False,
        ),
        # indoor
        _setting(
            "room",
            "indoor",
            "in",
            "a living room, a room, a cozy room, a bedroom, an apartment, a home, a cozy interior, a sitting room,"
            " the house, an indoor room, a parlor, an office",
            f"robot cat dog book lamp cup moon computer guitar clock piano telescope flowers cake {_PEOPLE}",
        ),
        _setting(
            "kitchen",
            "indoor",
            "in",
            "a kitchen, a cafe, a coffee shop, a cozy kitchen, a bakery, a cafe interior, a restaurant, a coffee bar,"
            " a restaurant kitchen, a tea room",
            f"cup cat dog robot cake clock flowers book moon {_PEOPLE}",
        ),
        _setting(
            "library",
            "indoor",
            "in",
            "a library, an old library, bookshelves, a reading room, an archive, a hall of books, a bookshop,"
            " a library with tall shelves, a study, a museum",
            f"book robot cat lamp cup owl wizard clock computer moon scientist king {_PEOPLE}",
        ),
        _setting(
            "lab",
            "indoor",
            "in",
            "a laboratory, a lab, a science lab, a research lab, a chemistry lab, a laboratory with flasks,"
            " a scientific laboratory, a hospital, an experiment room",
            "robot scientist cup crowd book rocket cat computer telescope crystal clock woman man girl boy elder",
            shows_weather=False,
        ),
        _setting(
            "workshop",
            "indoor",
            "in",
            "a workshop, a garage with tools, a factory, an inventor's workshop, a tool shop, a workshop full of gears,"
            " an engine room, a smithy, machines and gears",
            f"robot clock car bicycle rocket cat dog guitar computer plane lamp knight {_PEOPLE}",
        ),
        _setting(
            "stage",
            "indoor",
            "on",
            "a stage, a theater, a concert hall, a theater stage, a stage with red curtains, an opera house,"
            " a stage with spotlights, a music hall, a circus, a ballroom",
            "guitar piano crowd robot king wizard dog elephant cat clock umbrella woman man girl boy elder",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "classroom",
            "indoor",
            "in",
            "a classroom, a school, a schoolroom, a classroom with a blackboard, a lecture hall, a blackboard and desks,"
            " a university, a lesson",
            f"book robot cat clock computer crowd scientist telescope owl moon {_PEOPLE}",
        ),
        # space
        _setting(
            "space",
            "space",
            "in",
            "outer space, space, deep space, the cosmos, the stars, starry space, the galaxy, a nebula, the universe,"
            " the milky way",
            "rocket planet ufo astronaut sun satellite robot moon whale",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "planet",
            "space",
            "on",
            "an alien planet, mars, the red planet, the moon's surface, a strange planet, a distant world,"
            " the surface of mars, a lunar landscape, another world, a planet with craters",
            "rocket planet ufo astronaut robot tower tent car crystal telescope satellite dinosaur",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "spaceship",
            "space",
            "in",
            "a spaceship, a space station, the bridge of a spaceship, a spaceship cabin, a starship, a control room,"
            " a spacecraft cockpit, mission control",
            "astronaut robot planet computer cat dog scientist plant moon woman man girl boy elder",
            shows_time=False,
            shows_weather=False,
        ),
    ]
)

THINGS: dict[str, Thing] = dict(
    [
        # people: all drawn by one figure with different clothes
        _thing("woman", "person", "woman, young woman, lady, mother, heroine, queen of the story, sister"),
        _thing("man", "person", "man, young man, father, hero, gentleman, stranger, brother"),
        _thing("girl", "person", "girl, little girl, young girl, child, daughter, student"),
        _thing("boy", "person", "boy, little boy, young boy, son, schoolboy"),
        _thing("elder", "person", "old man, grandfather, elder, old teacher, old sailor, white-bearded man"),
        _thing("explorer", "person", "explorer, traveler, hiker, farmer, detective, adventurer, captain, worker"),
        _thing("scientist", "person", "scientist, doctor, inventor, professor, researcher, engineer"),
        _thing("astronaut", "person", "astronaut, space traveler, cosmonaut, spacewalker"),
        _thing("knight", "person", "knight, warrior, soldier, samurai, guard, viking"),
        _thing("wizard", "person", "wizard, witch, magician, sorcerer, fairy"),
        _thing("king", "person", "king, queen, emperor, prince, princess, pharaoh"),
        _thing("crowd", "person", "crowd, group of people, people, audience, children, friends", plural=True),
        _thing("robot", "person", "robot, android, friendly robot, small robot, machine man, droid"),
        # animals
        _thing("cat", "animal", "cat, kitten, little cat, tiger cub"),
        _thing("dog", "animal", "dog, puppy, wolf, hound"),
        _thing("fox", "animal", "fox, little fox, red fox"),
        _thing("rabbit", "animal", "rabbit, hare, bunny"),
        _thing("horse", "animal", "horse, pony, wild horse, camel, deer"),
        _thing("elephant", "animal", "elephant, mammoth, big elephant"),
        _thing("dinosaur", "animal", "dinosaur, long-necked dinosaur, giant lizard, monster"),
        _thing("dragon", "animal", "dragon, flying dragon, beast, winged dragon"),
        _thing("owl", "animal", "owl, wise owl, night bird"),
        _thing("penguins", "animal", "penguins, group of penguins, colony of penguins", plural=True, colored=False),
        _thing("birds", "animal", "birds, flock of birds, seagulls, flying birds, migrating birds", plural=True),
        _thing("butterflies", "animal", "butterflies, moths, colorful butterflies", plural=True),
        _thing("bees", "animal", "bees, swarm of bees, honey bees, insects", plural=True, colored=False),
        _thing("fish", "animal", "fish, big fish, shark, goldfish"),
        _thing("whale", "animal", "whale, blue whale, dolphin, giant whale"),
        _thing("jellyfish", "animal", "jellyfish, glowing jellyfish, octopus"),
        # vehicles
        _thing("boat", "vehicle", "boat, sailboat, ship, sailing ship, fishing boat"),
        _thing("train", "vehicle", "train, passing train, railway train, tram, subway train"),
        _thing("car", "vehicle", "car, old car, taxi, automobile, truck"),
        _thing("bicycle", "vehicle", "bicycle, bike, old bicycle"),
        _thing("plane", "vehicle", "airplane, plane, passenger plane, jet"),
        _thing("balloon", "vehicle", "hot air balloon, balloon, air balloon"),
        _thing("rocket", "vehicle", "rocket, space rocket, launching rocket, space shuttle"),
        _thing("ufo", "vehicle", "ufo, flying saucer, alien ship"),
        _thing("satellite", "vehicle", "satellite, space probe, orbiting station", colored=False),
        # buildings
        _thing("house", "building", "house, cottage, cabin, small house, hut"),
        _thing("lighthouse", "building", "lighthouse, beacon, lighthouse tower"),
        _thing("tower", "building", "tower, radio tower, iron tower, antenna tower"),
        _thing("windmill", "building", "windmill, old mill, mill"),
        _thing("bridge", "building", "bridge, suspension bridge, long bridge"),
        _thing("tent", "building", "tent, camp, camping tent"),
        _thing("statue", "building", "statue, monument, stone statue, sculpture"),
        # plants and minerals
        _thing("tree", "plant", "tree, lone tree, old tree, oak tree, big tree"),
        _thing("flowers", "plant", "flowers, wildflowers, tulips, roses, blossoms", plural=True),
        _thing("mushroom", "plant", "mushroom, giant mushroom, toadstool"),
        _thing("plant", "plant", "potted plant, plant, seedling, little plant", colored=False),
        _thing("crystal", "plant", "crystal, glowing crystal, gem, diamond, magic stone"),
        # things
        _thing("book", "thing", "book, open book, old book, manuscript, map"),
        _thing("cup", "thing", "cup of coffee, cup of tea, coffee cup, steaming cup, mug"),
        _thing("cake", "thing", "cake, birthday cake, loaf of bread, pie, meal"),
        _thing("clock", "thing", "clock, big clock, old clock, pocket watch"),
        _thing("lamp", "thing", "lantern, lamp, street lamp, glowing lantern, candle"),
        _thing("fire", "thing", "fire, campfire, bonfire, flames", colored=False),
        _thing("telescope", "thing", "telescope, brass telescope, microscope"),
        _thing("computer", "thing", "computer, screen, computer screen, machine"),
        _thing("guitar", "thing", "guitar, violin, cello, old guitar"),
        _thing("piano", "thing", "piano, grand piano, keyboard"),
        _thing("chest", "thing", "treasure chest, chest, treasure, wooden box"),
        _thing("umbrella", "thing", "umbrella, open umbrella, parasol"),
        # in the sky
        _thing("moon", "sky", "moon, full moon, bright moon"),
        _thing("sun", "sky", "sun, big sun, bright sun, setting sun"),
        _thing("planet", "sky", "planet, ringed planet, distant planet, giant planet"),
    ]
)

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
    "small": ("small", "tiny", "little", "distant"),
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

PERSON_KEYS: tuple[str, ...] = tuple(key for key, thing in THINGS.items() if thing.kind == "person" and key != "crowd")
CHARACTER_KEYS: tuple[str, ...] = (*PERSON_KEYS, "cat", "dog", "fox", "rabbit", "horse", "elephant", "dragon", "owl")
"""The things that may carry a name in a caption (`Mira: a young woman in a red coat`)."""


def with_article(noun: str) -> str:
    """`oak tree` -> `an oak tree`."""
    return f"an {noun}" if noun[0].lower() in "aeiou" and not noun.startswith(("uni", "ufo")) else f"a {noun}"


def place(setting: Setting, phrase: str | None = None) -> str:
    """The setting with its preposition: `on a city street`."""
    words = phrase or setting.phrases[0]
    return words if words.startswith(("under", "beneath")) else f"{setting.preposition} {words}"


def bare(phrase: str) -> str:
    """A phrase without its leading article, for lists of tags."""
    for article in ("the ", "a ", "an "):
        if phrase.startswith(article):
            return phrase.removeprefix(article)
    return phrase
