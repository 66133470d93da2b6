"""The things a picture may show, and the ordinary nouns that each of them may stand for; a noun stands for one thing."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "animal", "vehicle", "building", "plant", "thing", "sky"]


@dataclass(frozen=True)
class Thing:
    """Something that stands, flies or swims in a setting. `nouns` have no article; the first is the plainest."""

    key: str
    kind: Kind
    nouns: tuple[str, ...]
    plural: bool = False
    colored: bool = True


def _thing(key: str, kind: Kind, nouns: str, *, plural: bool = False, colored: bool = True) -> tuple[str, Thing]:
    return key, Thing(key, kind, tuple(noun.strip() for noun in nouns.split(",")), plural, colored)


_PEOPLE_ANIMALS: tuple[tuple[str, Thing], ...] = (
    # people: most are drawn by one figure with different clothes
    _thing(
        "woman",
        "person",
        "woman, young woman, lady, mother, heroine, queen of the story, sister, aunt, bride, "
        "grandmother, actress, singer, maid, ballerina",
    ),
    _thing(
        "man",
        "person",
        "man, young man, father, hero, gentleman, stranger, brother, uncle, husband, grandson, "
        "neighbour, butcher, postman",
    ),
    _thing("girl", "person", "girl, little girl, young girl, child, daughter, student, niece, schoolgirl"),
    _thing("boy", "person", "boy, little boy, young boy, son, schoolboy, nephew, pupil, kid"),
    _thing(
        "elder",
        "person",
        "old man, grandfather, elder, old teacher, old sailor, white-bearded man, monk, saint, hermit, pilgrim",
    ),
    _thing(
        "explorer",
        "person",
        "explorer, traveler, hiker, farmer, detective, adventurer, captain, worker, cowboy, ranger, "
        "hunter, shepherd, gardener, fisherman, sailor, carpenter",
    ),
    _thing(
        "scientist",
        "person",
        "scientist, doctor, inventor, professor, researcher, engineer, nurse, chemist, teacher, "
        "dentist, surgeon, physicist, pharmacist",
    ),
    _thing("astronaut", "person", "astronaut, space traveler, cosmonaut, spacewalker, space pilot"),
    _thing("knight", "person", "knight, warrior, soldier, samurai, guard, viking, gladiator, crusader"),
    _thing("wizard", "person", "wizard, witch, magician, sorcerer, fairy, druid, alchemist, mage"),
    _thing("king", "person", "king, queen, emperor, prince, princess, pharaoh, sultan, monarch, baron"),
    _thing(
        "crowd",
        "person",
        "crowd, group of people, people, audience, children, friends, family, team",
        plural=True,
    ),
    _thing("robot", "person", "robot, android, friendly robot, small robot, machine man, droid"),
    # figures of tales and of straw: like an animal, one has a colour and no coat
    _thing("mermaid", "animal", "mermaid, siren, sea princess"),
    _thing("angel", "animal", "angel, guardian angel, cherub"),
    _thing("ghost", "animal", "ghost, spirit, phantom, spectre"),
    _thing("snowman", "animal", "snowman, snow man"),
    _thing("scarecrow", "animal", "scarecrow, straw man"),
    # mammals
    _thing("cat", "animal", "cat, kitten, little cat, tomcat, tabby, pussycat, lynx"),
    _thing(
        "dog",
        "animal",
        "dog, puppy, hound, terrier, sheepdog, labrador, retriever, beagle, poodle, bulldog, collie, "
        "spaniel, dachshund",
    ),
    _thing("fox", "animal", "fox, little fox, red fox, vixen"),
    _thing("wolf", "animal", "wolf, lone wolf, husky, coyote, jackal, she-wolf"),
    _thing("rabbit", "animal", "rabbit, hare, bunny, kangaroo, jackrabbit"),
    _thing("mouse", "animal", "mouse, rat, hamster, little mouse, gerbil, guinea pig, shrew, vole, squirrel"),
    _thing("hedgehog", "animal", "hedgehog, porcupine"),
    _thing("bat", "animal", "bat, vampire bat"),
    _thing("bear", "animal", "bear, brown bear, grizzly, beaver, otter, polar bear, grizzly bear, cub, marmot"),
    _thing("panda", "animal", "panda, panda bear, badger"),
    _thing("lion", "animal", "lion, lioness, lion cub"),
    _thing("tiger", "animal", "tiger, tiger cub, leopard, cheetah, jaguar, panther"),
    _thing("monkey", "animal", "monkey, chimpanzee, ape, gorilla, baboon, orangutan, chimp"),
    _thing("cow", "animal", "cow, bull, ox, calf, buffalo, bison, yak"),
    _thing("pig", "animal", "pig, piglet, wild boar, hog, sow, boar"),
    _thing("sheep", "animal", "sheep, lamb, goat, ram, ewe"),
    _thing("horse", "animal", "horse, pony, wild horse, donkey, mule, stallion, mare, foal, zebra, colt"),
    _thing("unicorn", "animal", "unicorn, magic horse"),
    _thing("camel", "animal", "camel, dromedary, llama, alpaca"),
    _thing("deer", "animal", "deer, stag, reindeer, moose, elk, fawn, roe deer, antelope, gazelle"),
    _thing("giraffe", "animal", "giraffe, tall giraffe"),
    _thing("elephant", "animal", "elephant, mammoth, big elephant, elephant calf, rhinoceros, hippopotamus"),
    # beasts of tales and of long ago
    _thing(
        "dinosaur",
        "animal",
        "dinosaur, long-necked dinosaur, giant lizard, monster, brontosaurus, diplodocus, brachiosaurus, tyrannosaurus",
    ),
    _thing("dragon", "animal", "dragon, flying dragon, beast, winged dragon, griffin, phoenix"),
    # birds
    _thing("owl", "animal", "owl, wise owl, night bird, barn owl"),
    _thing(
        "bird",
        "animal",
        "bird, sparrow, robin, pigeon, nightingale, raven, crow, finch, wren, thrush, starling, lark, "
        "cuckoo, dove, canary, swallow, blackbird, jay, kingfisher, magpie, woodpecker, jackdaw, "
        "songbird, hummingbird",
    ),
    _thing("duck", "animal", "duck, duckling, rubber duck, mallard"),
    _thing("swan", "animal", "swan, goose, white swan, gander, flamingo, heron, stork, crane"),
    _thing("chicken", "animal", "chicken, hen, rooster, turkey, chick, cockerel, peacock, quail, pheasant"),
    _thing("parrot", "animal", "parrot, cockatoo, macaw, parakeet, budgie, toucan"),
    _thing(
        "eagle",
        "animal",
        "eagle, hawk, falcon, vulture, albatross, condor, kestrel, buzzard, osprey, seagull, gull, pelican",
    ),
    _thing("penguins", "animal", "penguins, group of penguins, colony of penguins", plural=True, colored=False),
    _thing("penguin", "animal", "penguin, little penguin, emperor penguin, puffin", colored=False),
    _thing("birds", "animal", "birds, flock of birds, seagulls, flying birds, migrating birds", plural=True),
    # small animals
    _thing("butterflies", "animal", "butterflies, moths, colorful butterflies", plural=True),
    _thing("butterfly", "animal", "butterfly, moth, monarch butterfly"),
    _thing("bees", "animal", "bees, swarm of bees, honey bees, insects", plural=True, colored=False),
    _thing(
        "bee",
        "animal",
        "bee, honey bee, bumblebee, wasp, insect, fly, hornet, dragonfly, mosquito, firefly, gnat",
        colored=False,
    ),
    _thing("ladybug", "animal", "ladybug, beetle, ladybird, bug, cockroach, ant, cricket, grasshopper"),
    _thing("worm", "animal", "caterpillar, worm, earthworm, silkworm, centipede"),
    _thing("spider", "animal", "spider, tarantula, scorpion, tick"),
    _thing("snail", "animal", "snail, slug, little snail"),
    _thing("frog", "animal", "frog, toad, tree frog, tadpole, bullfrog, newt"),
    _thing("turtle", "animal", "turtle, tortoise, sea turtle"),
    _thing("snake", "animal", "snake, cobra, serpent, python, viper, adder, boa, eel"),
    _thing("crocodile", "animal", "crocodile, alligator, lizard, chameleon, iguana, gecko, komodo dragon"),
    # in the water
    _thing(
        "fish",
        "animal",
        "fish, big fish, goldfish, salmon, trout, cod, herring, carp, mackerel, tuna, sardine, perch, "
        "pike, piranha, sea bass",
    ),
    _thing("shark", "animal", "shark, great shark, hammerhead"),
    _thing("dolphin", "animal", "dolphin, porpoise"),
    _thing("whale", "animal", "whale, blue whale, giant whale, humpback, sperm whale"),
    _thing("jellyfish", "animal", "jellyfish, glowing jellyfish"),
    _thing("octopus", "animal", "octopus, squid, kraken, cuttlefish"),
    _thing("crab", "animal", "crab, lobster, hermit crab, shrimp, prawn, crayfish"),
)

_VEHICLES_BUILDINGS: tuple[tuple[str, Thing], ...] = (
    _thing(
        "boat",
        "vehicle",
        "boat, sailboat, sailing ship, fishing boat, yacht, pirate ship, dinghy, schooner, trawler",
    ),
    _thing(
        "ship",
        "vehicle",
        "ship, steamship, ferry, ocean liner, steamer, cruise ship, freighter, tanker, warship",
    ),
    _thing("canoe", "vehicle", "canoe, rowing boat, kayak, raft, gondola, lifeboat"),
    _thing("submarine", "vehicle", "submarine, yellow submarine"),
    _thing(
        "train",
        "vehicle",
        "train, passing train, railway train, tram, subway train, locomotive, streetcar, underground train",
    ),
    _thing("car", "vehicle", "car, old car, taxi, automobile, jeep, limousine, sports car, cab, police car"),
    _thing("bus", "vehicle", "bus, school bus, minibus, coach, trolleybus, ambulance"),
    _thing("truck", "vehicle", "truck, lorry, van, delivery truck, fire engine, pickup, dustcart"),
    _thing("tractor", "vehicle", "tractor, plough, bulldozer, combine harvester, excavator, digger"),
    _thing("motorcycle", "vehicle", "motorcycle, motorbike, scooter, moped, vespa"),
    _thing("carriage", "vehicle", "carriage, wagon, covered wagon, cart, caravan"),
    _thing("sled", "vehicle", "sled, sleigh, sledge, toboggan"),
    _thing("skateboard", "vehicle", "skateboard, longboard"),
    _thing("bicycle", "vehicle", "bicycle, bike, old bicycle, tandem, tricycle, unicycle"),
    _thing("plane", "vehicle", "airplane, plane, passenger plane, jet, aeroplane, aircraft, glider, biplane"),
    _thing("helicopter", "vehicle", "helicopter, chopper, drone"),
    _thing("balloon", "vehicle", "hot air balloon, balloon, air balloon, airship, zeppelin"),
    _thing("rocket", "vehicle", "rocket, space rocket, launching rocket, space shuttle, missile, firework"),
    _thing("ufo", "vehicle", "ufo, flying saucer, alien ship, spaceship, mothership"),
    _thing("satellite", "vehicle", "satellite, space probe, orbiting station", colored=False),
    _thing(
        "house",
        "building",
        "house, cottage, cabin, small house, hut, villa, farmhouse, home, bungalow, mansion, treehouse, inn, farm",
    ),
    _thing("barn", "building", "barn, stable, red barn, shed, cowshed, henhouse, kennel"),
    _thing("church", "building", "church, chapel, cathedral, steeple, abbey, mosque, synagogue, parish church"),
    _thing("skyscraper", "building", "skyscraper, tower block, high-rise, office tower, hotel, apartment block"),
    _thing("factory", "building", "factory with chimneys, power plant, chimney, smokestack"),
    _thing("lighthouse", "building", "lighthouse, beacon, lighthouse tower"),
    _thing("tower", "building", "tower, radio tower, iron tower, antenna tower, antenna, pylon"),
    _thing("windmill", "building", "windmill, old mill, mill, wind turbine"),
    _thing("bridge", "building", "bridge, suspension bridge, long bridge, viaduct, footbridge"),
    _thing("tent", "building", "tent, camp, camping tent, circus tent, wigwam, teepee, yurt"),
    _thing("igloo", "building", "igloo, snow hut"),
    _thing("well", "building", "well, old well, wishing well"),
    _thing("fountain", "building", "fountain, stone fountain"),
    _thing("fence", "building", "fence, picket fence, garden fence, hedge, railing"),
    _thing("statue", "building", "statue, monument, stone statue, sculpture, bust, figurine, obelisk"),
    _thing("mailbox", "building", "mailbox, letterbox, postbox"),
    _thing("signpost", "building", "signpost, road sign, street sign, milestone"),
    _thing("lights", "building", "traffic light, stoplight", colored=False),
    _thing("stairs", "building", "stairs, staircase, steps, stairway, escalator"),
    _thing("bench", "building", "bench, park bench, old bench, pew"),
)

_PLANTS_FOOD: tuple[tuple[str, Thing], ...] = (
    _thing(
        "tree",
        "plant",
        "tree, lone tree, old tree, oak tree, big tree, oak, maple, birch, willow, pine, elm, beech, "
        "chestnut tree, cedar, fir, spruce, cherry tree, apple tree",
    ),
    _thing("flowers", "plant", "flowers, wildflowers, tulips, roses, blossoms, bouquet", plural=True),
    _thing(
        "flower",
        "plant",
        "flower, sunflower, daisy, rose, tulip, lily, dandelion, poppy, daffodil, orchid, carnation, "
        "dahlia, peony, marigold, geranium, violet, iris, thistle, chrysanthemum",
    ),
    _thing("mushroom", "plant", "mushroom, giant mushroom, toadstool, fungus, truffle, chanterelle"),
    _thing(
        "plant",
        "plant",
        "potted plant, plant, seedling, little plant, fern, houseplant, sapling, herb, basil, bamboo, sprout",
        colored=False,
    ),
    _thing("cactus", "plant", "cactus, desert cactus"),
    _thing("leaf", "plant", "leaf, autumn leaf, maple leaf, fallen leaf, clover, petal"),
    _thing(
        "crystal",
        "plant",
        "crystal, glowing crystal, gem, diamond, magic stone, jewel, ruby, emerald, sapphire, amethyst, quartz, opal",
    ),
    _thing("rock", "plant", "rock, boulder, pebble, stone, meteorite, cobblestone, brick, lump of coal"),
    _thing("shell", "plant", "seashell, shell, scallop, pearl shell, mussel, oyster, clam, conch"),
    _thing("feather", "plant", "feather, quill, plume"),
    _thing("pumpkin", "plant", "pumpkin, squash, gourd, melon, watermelon, jack-o-lantern"),
    _thing(
        "apple",
        "plant",
        "apple, peach, plum, cherry, tomato, fruit, strawberry, raspberry, cranberry, pomegranate, nectarine",
    ),
    _thing("pear", "plant", "pear, avocado, fig, quince"),
    _thing("lemon", "plant", "lemon, lime, grapefruit, mango"),
    _thing("acorn", "plant", "acorn, nut, hazelnut, chestnut, walnut"),
    _thing("banana", "plant", "banana, ripe banana, plantain"),
    _thing("grapes", "plant", "grapes, bunch of grapes, berries", plural=True),
    _thing("carrot", "plant", "carrot, radish, turnip, vegetable, parsnip, beetroot"),
    _thing("egg", "thing", "egg, easter egg, hen's egg, eggshell"),
    _thing("bread", "thing", "bread, loaf of bread, loaf, bun, baguette, croissant, brioche, pastry, bagel, roll"),
    _thing("cheese", "thing", "cheese, wedge of cheese, butter, cheddar, camembert"),
    _thing("pizza", "thing", "pizza, slice of pizza, pizza slice"),
    _thing("burger", "thing", "hamburger, burger, sandwich, cheeseburger"),
    _thing("donut", "thing", "doughnut, donut, swim ring"),
    _thing("cookie", "thing", "cookie, biscuit, gingerbread, chocolate chip cookie"),
    _thing("icecream", "thing", "ice cream, ice cream cone, sundae, sorbet, gelato"),
    _thing("candy", "thing", "lollipop, candy, sweet, bonbon, caramel, toffee"),
    _thing("honey", "thing", "jar of honey, honey, jam, jar, marmalade, chutney, pickle, peanut butter"),
    _thing(
        "cake",
        "thing",
        "cake, birthday cake, pie, meal, tart, muffin, pudding, cupcake, cheesecake, gateau, "
        "wedding cake, pancake, dessert",
    ),
)

_HOUSE: tuple[tuple[str, Thing], ...] = (
    _thing("chair", "thing", "chair, armchair, stool, throne, rocking chair, wheelchair, deckchair, highchair"),
    _thing("sofa", "thing", "sofa, couch, settee, divan, cushion"),
    _thing("table", "thing", "table, desk, wooden table, workbench, counter, dining table, kitchen table"),
    _thing("bed", "thing", "bed, cradle, mattress, pillow, blanket, crib, cot, bunk bed, hammock, quilt"),
    _thing("mirror", "thing", "mirror, looking glass, magic mirror, hand mirror"),
    _thing(
        "door",
        "thing",
        "door, gate, doorway, wooden door, wardrobe, portal, cupboard, closet, front door, entrance",
    ),
    _thing("window", "thing", "window, window frame, shutter, windowpane, skylight"),
    _thing("kettle", "thing", "kettle, teapot, tea kettle, coffee pot, samovar, thermos"),
    _thing("pot", "thing", "pot, saucepan, pan, frying pan, cooking pot, cauldron, stockpot, wok, casserole"),
    _thing(
        "bowl",
        "thing",
        "bowl, bowl of soup, dish, plate, salad, soup, bowl of rice, porridge, stew, noodles, ramen, "
        "curry, cereal, rice",
    ),
    _thing(
        "glass",
        "thing",
        "glass, drinking glass, juice, lemonade, glass of water, tumbler, cocktail, smoothie, "
        "milkshake, soda, cola, milk, water, beer",
    ),
    _thing(
        "cup",
        "thing",
        "cup of coffee, cup of tea, coffee cup, steaming cup, mug, cup, coffee, tea, teacup, espresso, "
        "cappuccino, latte, cocoa, hot chocolate",
    ),
    _thing(
        "bottle",
        "thing",
        "bottle, flask, wine bottle, message in a bottle, wine, vinegar, perfume, potion, ketchup, medicine",
    ),
    _thing("vase", "thing", "vase, jug, pitcher, urn, amphora, carafe"),
    _thing("spoon", "thing", "spoon, ladle, teaspoon, wooden spoon, tablespoon, soup spoon, spatula, whisk"),
    _thing("fork", "thing", "fork, silver fork, pitchfork"),
    _thing(
        "knife",
        "thing",
        "knife, blade, kitchen knife, pocket knife, dagger, penknife, bread knife, cleaver, machete",
    ),
    _thing("candle", "thing", "candle, burning candle, torch, candlestick, tealight"),
    _thing("lamp", "thing", "lantern, lamp, street lamp, glowing lantern, streetlight, lamppost"),
    _thing("bulb", "thing", "light bulb, lightbulb, bulb, electric bulb"),
    _thing(
        "fire",
        "thing",
        "fire, campfire, bonfire, flames, flame, stove, fireplace, oven, wildfire, hearth, ember",
        colored=False,
    ),
    _thing("basket", "thing", "basket, picnic basket, wicker basket, nest, hamper, shopping basket"),
    _thing("bucket", "thing", "bucket, pail, watering can, tub, bathtub, barrel, keg"),
    _thing("broom", "thing", "broom, mop, broomstick, rake, besom"),
    _thing("iron", "thing", "flat iron, iron, clothes iron"),
    _thing(
        "shoe",
        "thing",
        "shoe, boot, sneaker, slipper, sandal, sock, trainer, loafer, clog, wellington, high heel",
    ),
    _thing("hat", "thing", "hat, top hat, bowler hat, cap, helmet, fedora, bonnet, turban, beret, sombrero"),
    _thing("shirt", "thing", "t-shirt, blouse, pullover, uniform, vest, jumper, cardigan, hoodie, jersey, pyjamas"),
    _thing("glasses", "thing", "glasses, spectacles, sunglasses, goggles, pair of glasses, binoculars, eyeglasses"),
    _thing("umbrella", "thing", "umbrella, open umbrella, parasol"),
    _thing("backpack", "thing", "backpack, bag, rucksack, schoolbag, satchel, knapsack, pouch"),
    _thing("suitcase", "thing", "suitcase, briefcase, luggage, trunk, handbag, purse, travel bag"),
)

_THINGS: tuple[tuple[str, Thing], ...] = (
    _thing("hammer", "thing", "hammer, mallet, sledgehammer, gavel, anvil"),
    _thing("saw", "thing", "saw, handsaw, hacksaw, chainsaw"),
    _thing("axe", "thing", "axe, hatchet, pickaxe, tomahawk"),
    _thing("wrench", "thing", "wrench, spanner, screwdriver, pliers, screw, bolt"),
    _thing("shovel", "thing", "shovel, spade, trowel, snow shovel"),
    _thing("scissors", "thing", "scissors, shears, pair of scissors"),
    _thing("ladder", "thing", "ladder, wooden ladder, rope ladder"),
    _thing("gear", "thing", "gear, cogwheel, cog, engine, motor, gearwheel, clockwork, flywheel, machinery"),
    _thing(
        "wheel",
        "thing",
        "wheel, wagon wheel, spinning wheel, tire, steering wheel, tyre, ferris wheel, roulette",
    ),
    _thing("rope", "thing", "rope, coil of rope, cable, chain, knot, cord, lasso, hose, wire"),
    _thing("anchor", "thing", "anchor, ship's anchor, hook"),
    _thing("magnet", "thing", "magnet, horseshoe, horseshoe magnet"),
    _thing(
        "pencil",
        "thing",
        "pencil, crayon, pen, chalk, marker, ballpoint pen, fountain pen, felt pen, nail, needle",
    ),
    _thing("brush", "thing", "paintbrush, brush, hairbrush, toothbrush, comb, makeup brush"),
    _thing("compass", "thing", "compass, ship's compass, barometer, sundial, thermometer, speedometer"),
    _thing("telescope", "thing", "telescope, brass telescope, spyglass, cannon, periscope"),
    _thing("microscope", "thing", "microscope, magnifying glass"),
    _thing("camera", "thing", "camera, old camera, photograph, photo camera, film camera, projector"),
    _thing(
        "radio",
        "thing",
        "radio, transistor radio, loudspeaker, cassette player, loudhailer, jukebox, gramophone, stereo",
    ),
    _thing("phone", "thing", "telephone, phone, old telephone, smartphone, mobile phone, cellphone"),
    _thing("television", "thing", "television, tv set, tv, microwave, washing machine"),
    _thing(
        "computer",
        "thing",
        "computer, screen, computer screen, machine, laptop, typewriter, monitor, tablet, display, internet, server",
    ),
    _thing(
        "clock",
        "thing",
        "clock, big clock, old clock, pocket watch, alarm clock, watch, stopwatch, wristwatch, "
        "grandfather clock, metronome, timer",
    ),
    _thing("hourglass", "thing", "hourglass, sandglass, egg timer"),
    _thing("globe", "thing", "globe, school globe, atlas, world"),
    _thing("bell", "thing", "bell, church bell, doorbell, school bell, gong, cowbell, sleigh bell"),
    _thing("drum", "thing", "drum, snare drum, tambourine, bongo, kettledrum"),
    _thing("trumpet", "thing", "trumpet, horn, trombone, saxophone, bugle, tuba, cornet, megaphone"),
    _thing("violin", "thing", "violin, cello, fiddle, viola, double bass"),
    _thing("flute", "thing", "flute, recorder, clarinet, oboe, whistle"),
    _thing("accordion", "thing", "accordion, concertina, squeezebox"),
    _thing("harp", "thing", "harp, lyre, golden harp, zither"),
    _thing("guitar", "thing", "guitar, old guitar, banjo, ukulele, lute, mandolin, bass guitar"),
    _thing("piano", "thing", "piano, grand piano, keyboard, organ, harpsichord, synthesizer, pianola"),
    _thing(
        "book",
        "thing",
        "book, open book, old book, manuscript, diary, novel, dictionary, notebook, magazine, "
        "textbook, encyclopedia, comic, bible, catalogue, cookbook, storybook, fairy tale",
    ),
    _thing(
        "paper",
        "thing",
        "sheet of paper, newspaper, page, note, document, paper, recipe, receipt, list, bill, invoice, "
        "ticket, certificate, passport",
    ),
    _thing("scroll", "thing", "scroll, parchment, ancient scroll, contract, papyrus"),
    _thing("map", "thing", "map, treasure map, old map, chart, blueprint"),
    _thing(
        "letter",
        "thing",
        "letter, envelope, postcard, love letter, stamp, mail, telegram, email, message, invitation",
    ),
    _thing("key", "thing", "key, golden key, old key, rusty key"),
    _thing("padlock", "thing", "padlock, lock, safe, combination lock"),
    _thing("chest", "thing", "treasure chest, chest, treasure, wooden chest, coffer, hoard"),
    _thing("box", "thing", "box, cardboard box, crate, wooden box, package, drawer, toolbox, matchbox, jewel box"),
    _thing("gift", "thing", "gift, present, parcel, gift box, birthday present"),
    _thing(
        "ball",
        "thing",
        "ball, football, basketball, soccer ball, marble, bubble, tennis ball, beach ball, baseball, volleyball",
    ),
    _thing("kite", "thing", "kite, paper kite"),
    _thing("teddy", "thing", "teddy bear, teddy, doll, toy, puppet, stuffed animal"),
    _thing("dice", "thing", "die, dice, cube, ice cube"),
    _thing("chess", "thing", "pawn, chess piece, chess, chessboard"),
    _thing("yarn", "thing", "ball of yarn, ball of wool, yarn, wool, thread, knitting, spool of thread, cotton"),
    _thing("mask", "thing", "mask, theater mask, carnival mask"),
    _thing("crown", "thing", "crown, golden crown, tiara, diadem, coronet"),
    _thing("ring", "thing", "ring, wedding ring, golden ring, bracelet, necklace, earring, bangle, brooch"),
    _thing("sword", "thing", "sword, saber, magic sword, spear, rapier, katana, cutlass"),
    _thing("shield", "thing", "shield, coat of arms, armor"),
    _thing("flag", "thing", "flag, banner, pirate flag, pennant"),
    _thing("coin", "thing", "coin, gold coin, penny, medal, money, button, badge, cent, token, doubloon"),
    _thing("star", "thing", "star, golden star, shooting star, starfish, north star, pole star"),
    _thing("snowflake", "thing", "snowflake, ice crystal, frost"),
    _thing("battery", "thing", "battery, electricity, power cell"),
    _thing("puzzle", "thing", "jigsaw, puzzle, jigsaw puzzle, puzzle piece"),
    _thing("heart", "thing", "heart, red heart, valentine, love heart"),
    _thing("trophy", "thing", "trophy, golden cup, goblet, chalice, prize, championship cup"),
    _thing("skull", "thing", "skull, skeleton, bone, fossil, skull and bones"),
)

_SKY: tuple[tuple[str, Thing], ...] = (
    _thing("moon", "sky", "moon, full moon, bright moon"),
    _thing("sun", "sky", "sun, big sun, bright sun, setting sun"),
    _thing("planet", "sky", "planet, ringed planet, distant planet, giant planet"),
    _thing("rainbow", "sky", "rainbow, bright rainbow", colored=False),
)

THINGS: dict[str, Thing] = dict((*_PEOPLE_ANIMALS, *_VEHICLES_BUILDINGS, *_PLANTS_FOOD, *_HOUSE, *_THINGS, *_SKY))

PERSON_KEYS: tuple[str, ...] = tuple(key for key, thing in THINGS.items() if thing.kind == "person" and key != "crowd")
CHARACTER_KEYS: tuple[str, ...] = (
    *PERSON_KEYS,
    *(key for key, thing in THINGS.items() if thing.kind == "animal" and not thing.plural),
)
"""The things that may carry a name in a caption (`Mira: a young woman in a red coat`)."""
