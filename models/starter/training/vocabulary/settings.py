"""The places a picture may show, and the things that suit each of them."""

from dataclasses import dataclass
from typing import Literal

from models.starter.training.vocabulary import groups

Family = Literal["urban", "nature", "water", "indoor", "space"]


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
    return key, Setting(
        key, family, preposition, words, tuple(dict.fromkeys(objects.split())), shows_time, shows_weather
    )


SETTINGS: dict[str, Setting] = dict(
    [
        # urban
        _setting(
            "city",
            "urban",
            "in",
            "the city, a city skyline, a big city, a modern city, the skyscrapers, the downtown skyline, a cityscape,"
            " the metropolis, a futuristic city, tall buildings, glass towers, the megacity, the capital",
            "moon sun train tower robot birds car crowd plane balloon ufo rocket bicycle bridge cat dog"
            f" {groups.PEOPLE} {groups.ROAD} {groups.MONUMENTS} {groups.AIR}",
        ),
        _setting(
            "street",
            "urban",
            "on",
            "a street, a city street, a narrow street, a busy street, an alley, an avenue, a boulevard, a side street,"
            " a quiet lane between houses, a crossroads, the neighborhood, a back alley, the sidewalk",
            "robot car cat dog crowd lamp moon bicycle clock train scientist umbrella"
            f" snowman {groups.PEOPLE} {groups.ROAD} {groups.MACHINES} {groups.CLOTHES} {groups.SMALL}",
        ),
        _setting(
            "market",
            "urban",
            "at",
            "a market, a street market, a bazaar, market stalls, a busy market square, a village fair, a marketplace,"
            " a spice market, a night market, shops with striped awnings, a carnival, a festival",
            "crowd cat dog lamp robot elephant horse balloon chest guitar king cake"
            f" camel chicken {groups.PEOPLE} {groups.FOOD} {groups.TABLEWARE} {groups.CLOTHES} {groups.TOYS}"
            f" {groups.MUSIC} {groups.KEEPSAKES}",
        ),
        _setting(
            "village",
            "urban",
            "in",
            "a village, a small village, a little town, a hillside village, an old town, a hamlet, cozy cottages,"
            " a rural village, rooftops of a small town, the town, the hometown",
            "moon sun birds cat dog windmill tree balloon train crowd car dragon horse bicycle clock"
            f" church horse sled snowman {groups.PEOPLE} {groups.FARM} {groups.MONUMENTS} {groups.ROAD}",
        ),
        _setting(
            "castle",
            "urban",
            "at",
            "a castle, an old castle, a medieval castle, a castle on a hill, a fortress, a fairy-tale castle,"
            " a royal palace, a citadel, a kingdom, the palace, a stronghold",
            "dragon moon sun birds knight king wizard horse crowd tree balloon owl statue chest woman man girl boy elder"
            f" flag horse fountain well {groups.TALES} {groups.KEEPSAKES} {groups.AIR}",
        ),
        _setting(
            "pagoda",
            "urban",
            "at",
            "a pagoda, a temple with curved roofs, a japanese temple, a shrine, a chinese temple, a pagoda on a hill,"
            " a tea house with curved roofs, an eastern palace, a monastery",
            "moon sun birds tree lamp dragon flowers cat crowd knight statue cup woman man girl boy elder robot"
            f" {groups.SMALL} {groups.TALES}",
        ),
        _setting(
            "ruins",
            "urban",
            "at",
            "ancient ruins, ruins, a greek temple, marble columns, stone ruins, a roman forum, an old temple,"
            " crumbling columns, a lost city, an archaeological site, the ancient city, an ancient temple",
            "statue sun moon birds tree crowd robot cat chest horse knight king fire"
            f" {groups.PEOPLE} {groups.KEEPSAKES} {groups.TALES} {groups.WILD}",
        ),
        _setting(
            "pyramids",
            "urban",
            "at",
            "the pyramids, pyramids, ancient egypt, the great pyramid, pyramids in the desert, a pharaoh's tomb,"
            " pyramids on the sand, the tombs of the pharaohs",
            "sun moon birds statue crowd cat ufo king chest horse tent balloon"
            f" camel cactus snake skull {groups.PEOPLE} {groups.KEEPSAKES} {groups.WILD}",
        ),
        # nature
        _setting(
            "forest",
            "nature",
            "in",
            "the forest, a pine forest, the woods, a dense forest, the deep woods, an evergreen forest, woodland,"
            " a dark forest, pine trees, an enchanted forest, the trees",
            "moon sun birds house tent cat dog fox owl robot dragon ufo mushroom fire lamp horse wizard rabbit"
            f" snowman sled {groups.PEOPLE} {groups.WOODLAND} {groups.SMALL} {groups.TALES}",
        ),
        _setting(
            "jungle",
            "nature",
            "in",
            "the jungle, a rainforest, a tropical forest, a dense jungle, a lush rainforest, palm trees and ferns,"
            " the amazon, a tropical jungle",
            "birds statue robot dragon cat sun tent moon elephant dinosaur butterflies mushroom chest"
            f" crocodile rope {groups.PEOPLE} {groups.WILD} {groups.SMALL}",
        ),
        _setting(
            "mountains",
            "nature",
            "in",
            "the mountains, a mountain range, snowy peaks, high mountains, a mountain landscape, an alpine valley,"
            " the alps, the summit, the highlands, rocky peaks, a mountain pass",
            "moon sun birds house tent train balloon plane dragon tree rocket fire dog horse telescope"
            f" flag rope sled rock {groups.PEOPLE} {groups.WOODLAND} {groups.AIR} {groups.WINTER}",
        ),
        _setting(
            "volcano",
            "nature",
            "near",
            "a volcano, an erupting volcano, a burning mountain, glowing lava, a smoking volcano, rivers of lava,"
            " a volcanic land, the eruption",
            f"dinosaur dragon birds moon crowd robot plane ufo scientist wizard rock {groups.PEOPLE} {groups.AIR}",
        ),
        _setting(
            "waterfall",
            "nature",
            "by",
            "a waterfall, a tall waterfall, a river gorge with a waterfall, falling water between cliffs, a cascade,"
            " a canyon with a waterfall, a spring between rocks",
            "birds tent tree fox dinosaur dragon butterflies robot horse elephant sun moon boat"
            f" rainbow unicorn {groups.PEOPLE} {groups.POND} {groups.WOODLAND}",
        ),
        _setting(
            "desert",
            "nature",
            "in",
            "the desert, sand dunes, a hot desert, a sandy desert, the dunes, an arid desert, the wasteland,"
            " dry badlands, a desert plain, the sahara",
            "sun moon robot car rocket tent statue ufo birds train plane crowd horse elephant chest fire"
            f" camel cactus snake skull rock bottle wheel compass eagle {groups.PEOPLE}",
        ),
        _setting(
            "field",
            "nature",
            "in",
            "a field, farmland, a wheat field, the countryside, a farm field, plowed fields, rolling farmland,"
            " a plantation, an open plain, the prairie, a farm, crops",
            "windmill tree house birds sun moon balloon car train flowers bees robot plane ufo horse dog rabbit"
            f" flower rainbow unicorn horse deer {groups.PEOPLE} {groups.FARM} {groups.AIR} {groups.TOYS}",
        ),
        _setting(
            "garden",
            "nature",
            "in",
            "a garden, a meadow, a flower garden, a park, a flower meadow, a spring meadow, a blooming garden,"
            " an orchard, a grassy park, wildflowers, a lawn",
            "flowers bees birds cat dog tree statue sun house robot balloon butterflies rabbit bicycle guitar"
            f" flower bench fountain fence well rainbow apple rock honey deer {groups.PEOPLE} {groups.SMALL}"
            f" {groups.POND} {groups.TOYS} {groups.TOOLS}",
        ),
        _setting(
            "arctic",
            "nature",
            "in",
            "the arctic, icebergs, polar ice, a frozen sea, antarctica, ice floes, a glacier, the frozen tundra,"
            " the north pole, an icy land",
            "boat whale moon sun tent birds robot plane dog house penguins fox"
            f" dolphin ship {groups.PEOPLE} {groups.WINTER}",
        ),
        _setting(
            "cave",
            "nature",
            "in",
            "a cave, a crystal cave, a cavern, an underground cave, a glowing cavern, a grotto, a dark cave, a mine,"
            " a tunnel under the ground, the underworld",
            "crystal robot lamp dragon chest fire knight wizard mushroom dinosaur"
            f" bat rock candle ladder rope {groups.PEOPLE} {groups.KEEPSAKES} {groups.TALES}",
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
            f"boat lighthouse moon sun birds whale plane ufo balloon dragon fish {groups.SEASIDE} {groups.DEEP}",
        ),
        _setting(
            "harbor",
            "water",
            "at",
            "a harbor, a port, a pier, the docks, a fishing harbor, a harbor town, a quay with boats, the waterfront,"
            " a seaside town, a marina",
            "boat lighthouse moon sun birds crowd cat car bicycle lamp chest whale"
            f" {groups.PEOPLE} {groups.SEASIDE} {groups.ROAD}",
        ),
        _setting(
            "island",
            "water",
            "on",
            "an island, a tropical island, a small island, a palm island, a beach, a desert island, a sandy beach,"
            " an island with palm trees, an atoll, the shore",
            "boat lighthouse moon sun birds house tent chest fire whale dinosaur plane"
            f" crocodile {groups.PEOPLE} {groups.SEASIDE} {groups.TOYS}",
        ),
        _setting(
            "lake",
            "water",
            "by",
            "a lake, a mountain lake, a quiet lake, a calm lake, a river, a lakeside, a wide river, a riverbank,"
            " a river valley, still water, a pond",
            "boat moon sun birds tent house tree bridge cat dog fire horse fox"
            f" crocodile {groups.PEOPLE} {groups.POND} {groups.SEASIDE}",
        ),
        _setting(
            "underwater",
            "water",
            "in",
            "the underwater world, underwater, a coral reef, the ocean floor, the deep sea, under the sea, the seabed,"
            " beneath the waves, the deep ocean",
            f"fish whale robot boat chest statue jellyfish crystal {groups.DEEP}",
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
            "robot cat dog book lamp cup moon computer guitar clock piano telescope flowers cake"
            f" bulb television bird yarn {groups.PEOPLE} {groups.FURNITURE} {groups.CLOTHES} {groups.MACHINES}"
            f" {groups.TOYS} {groups.MUSIC} {groups.KEEPSAKES}",
        ),
        _setting(
            "kitchen",
            "indoor",
            "in",
            "a kitchen, a cafe, a coffee shop, a cozy kitchen, a bakery, a cafe interior, a restaurant, a coffee bar,"
            " a restaurant kitchen, a tea room",
            "cup cat dog robot cake clock flowers book moon"
            f" mouse iron flower window {groups.PEOPLE} {groups.TABLEWARE} {groups.FOOD}",
        ),
        _setting(
            "library",
            "indoor",
            "in",
            "a library, an old library, bookshelves, a reading room, an archive, a hall of books, a bookshop,"
            " a library with tall shelves, a study, a museum",
            "book robot cat lamp cup owl wizard clock computer moon scientist king"
            f" {groups.PEOPLE} {groups.PAPER} {groups.SCIENCE} {groups.KEEPSAKES}",
        ),
        _setting(
            "lab",
            "indoor",
            "in",
            "a laboratory, a lab, a science lab, a research lab, a chemistry lab, a laboratory with flasks,"
            " a scientific laboratory, a hospital, an experiment room",
            "robot scientist cup crowd book rocket cat computer telescope crystal clock woman man girl boy elder"
            f" mouse frog skull {groups.SCIENCE}",
            shows_weather=False,
        ),
        _setting(
            "workshop",
            "indoor",
            "in",
            "a workshop, a garage with tools, a factory, an inventor's workshop, a tool shop, a workshop full of gears,"
            " an engine room, a smithy, machines and gears",
            "robot clock car bicycle rocket cat dog guitar computer plane lamp knight"
            f" {groups.PEOPLE} {groups.TOOLS} {groups.MACHINES} {groups.FURNITURE}",
        ),
        _setting(
            "stage",
            "indoor",
            "on",
            "a stage, a theater, a concert hall, a theater stage, a stage with red curtains, an opera house,"
            " a stage with spotlights, a music hall, a circus, a ballroom",
            "guitar piano crowd robot king wizard dog elephant cat clock umbrella woman man girl boy elder"
            f" heart star flower {groups.MUSIC} {groups.KEEPSAKES} {groups.CLOTHES}",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "classroom",
            "indoor",
            "in",
            "a classroom, a school, a schoolroom, a classroom with a blackboard, a lecture hall, a blackboard and desks,"
            " a university, a lesson",
            "book robot cat clock computer crowd scientist telescope owl moon"
            f" {groups.PEOPLE} {groups.PAPER} {groups.SCIENCE} {groups.TOYS} {groups.TOOLS}",
        ),
        # space
        _setting(
            "space",
            "space",
            "in",
            "outer space, space, deep space, the cosmos, the stars, starry space, the galaxy, a nebula, the universe,"
            " the milky way",
            f"rocket planet ufo astronaut sun satellite robot moon whale star {groups.SCIENCE}",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "planet",
            "space",
            "on",
            "an alien planet, mars, the red planet, the moon's surface, a strange planet, a distant world,"
            " the surface of mars, a lunar landscape, another world, a planet with craters",
            "rocket planet ufo astronaut robot tower tent car crystal telescope satellite dinosaur"
            f" flag rock {groups.SCIENCE}",
            shows_time=False,
            shows_weather=False,
        ),
        _setting(
            "spaceship",
            "space",
            "in",
            "a spaceship, a space station, the bridge of a spaceship, a spaceship cabin, a starship, a control room,"
            " a spacecraft cockpit, mission control",
            "astronaut robot planet computer cat dog scientist plant moon woman man girl boy elder"
            f" {groups.MACHINES} {groups.SCIENCE}",
            shows_time=False,
            shows_weather=False,
        ),
    ]
)


def place(setting: Setting, phrase: str | None = None) -> str:
    """The setting with its preposition: `on a city street`."""
    words = phrase or setting.phrases[0]
    return words if words.startswith(("under", "beneath")) else f"{setting.preposition} {words}"
