"""German."""

from __future__ import annotations

from privacy_ops.minors.freetext.model import Language, Rule

_WORDS = (
    "eins zwei drei vier funf sechs sieben acht neun zehn"
    " elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn"
)
NUMBERS = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
NUMBERS |= {word.replace("funf", "fuenf").replace("zwolf", "zwoelf"): number for word, number in NUMBERS.items()}
_STEMS = (
    "erste",
    "zweite",
    "dritte",
    "vierte",
    "funfte",
    "sechste",
    "siebte",
    "achte",
    "neunte",
    "zehnte",
    "elfte",
    "zwolfte",
    "dreizehnte",
)
NUMBERS |= {word: number for number, word in enumerate(_STEMS, start=1)}
NUMBERS |= {word + "n": number for number, word in enumerate(_STEMS, start=1)}

PIECES = {
    # Right after a number: it counts something else.
    "counted": (
        r"(?:jahren?|monaten?|wochen?|tagen?|stunden?|minuten?|km|kg|prozent|punkte|im|in|dabei|module|fragen|uhr"
        r"|kilo\w{0,20})\b"
    ),
    "mild": (
        r"(?: [(\[\"*]?(?:erst|nur|noch|gerade|grad|grade|mal|gerade mal|jetzt|heute|immer noch|schon|bereits|ja"
        r"|eben|aktuell"
        r"|jz|derzeit|zurzeit|momentan|genau|ungefahr|etwa|circa|ca\.|erst mal|aber|auch|leider"
        r"|eigentlich)[)\]\"*]?){0,3} "
    ),
    "iam": (
        r"(?:(?<!\w)(?:ich binn?|bin ich|(?:und|hallo|hi|hey|moin|servus) bin|und ich sind(?: beide)?|wir sind beide)"
        r"|(?:^|[.!?,;\n] ?)bin)"
    ),
    "old": r" ?jahre? ?(?:alt|allt|jung)\b|-?jahrig\b",
    "years": r" ?(?:jahren?|j)\b",
    "half": r"(?:[.,]5|½| 1/2| ?(?:und ein ?|ein)halb)?",
    # More of what is counted: "12 oder 13 Stunden", "12 und eine halbe Stunde".
    "range": (
        r"(?:,? ?(?:und|oder|bis|-)? ?(?:eine? halbe|\d{1,2}) (?:stunden?|tage|wochen?|monate?|minuten?|mal"
        r"|kilometer|km|prozent)\b)"
    ),
    # After "Jahre" without "alt", which may be those at work: "ich bin 12 Jahre jetzt in der Klinik".
    "onlyage": (
        r"(?= ?(?:$|[.!?;)\]\"\n]|,(?! (?:also|in|bei|seit|davon)\b)|:(?! ?\d))| (?:und|aber|bitte|komme|wohne|darf"
        r"|kann|mochte|weiblich|mannlich)\b)(?! (?:und|aber) (?:ein paar|einige|\w{1,10} monate?(?! alt)|noch|immer)\b)"
    ),
    "stop": (
        r"(?!<range>)(?:(?: ?(?:$|[,;!?)\]\"]|\n(?!<counted>)|\.(?! ?\d| (?:woche|klasse|jahr|lebensjahr"
        r"|monat|tag|stock|semester"
        r"|geworden|von|platz|kapitel|<month>))|- "
        r"|:(?! ?\d)|<3(?!\d)|=\)|[^\w\s.,;:!?'\"()/%+°€$£&#@*=<>-])"
        r"|[*_\"]{1,3}(?: ?$| ?[.,!?;])"
        r"| (?:und|aber|oder|also|deshalb|darum|daher|weil|da|denn|bitte|jetzt|heute|noch|schon|komme|wohne|lebe"
        r"|aus(?! \d)"
        r"|darf|kann|mochte|ich|mein|meine|lol|haha|je nach|bald|obwohl|wie|was|ob)(?![a-z])))"
    ),
    "end": r"<half>(?:<old>(?! geworden)|<years><onlyage>|(?P<bare>(?=<stop>)(?! oder (?:alter|mehr)\b)))",
    "or": r"(?: ?(?:oder|/|-|bis) ?<m>)?",
    "who": (
        r"(?:mein|unser)(?:e|em|en|er|es)? (?:(?:kleine?[rn]?|jungere?[rn]?|altere?[rn]?|jungste?[rn]?) )?(?:tochter"
        r"|sohn"
        r"|kind|kinder|bruder|schwester|neffe|nichte|enkel|enkelin|baby|jungster?|altester?|stiefsohn|stieftochter"
        r"|patenkind|tochterchen|junge|madchen|sohne|pflege(?:sohn|tochter|kind)|adoptiv(?:sohn|tochter|kind)|zwillinge)\b"
    ),
    "pupil": r"(?:mein|unser)(?:e|em|en|er|es)? (?:\w{1,20} )?schuler(?:in|innen|n)?\b",
    "parent": r"(?:mutter|vater|mama|papa|oma|opa|tante|onkel)",
    # Who has a child or works with children: "eine Mutter 15-jähriger Zwillinge".
    "role": r"(?:\w{0,20}(?:mutter|vater|lehrer|trainer|betreuer|arzt)|mama|papa|opa|oma|tante|onkel|\w{1,20}in)\b",
    "lately": (
        r"(?:gerade|eben|soeben|vor kurzem|kurzlich|neulich|gestern|vorgestern|heute|letzte woche|letzten monat"
        r"|diese woche|diesen monat|vor (?:ein paar|zwei|drei) tagen)"
    ),
    "kid": r"(?:zwillingen?|kindern|tochter|sohn|sohnes|kind|kindes|jungen?|madchens?|bruder"
    r"|schwester|neffe|nichte|enkel|enkelin|baby)\b",
    "person": r"(?:schuler(?:in)?|junge|madchen|student(?:in)?|jugendlicher?|teenager|azubi|person)",
    "aged": r"<n>(?:[ -]?jahrige[rnsm]?| ?jahre? (?:alte|junge)[rnsm]?)",
    "class": r"<n>(?:\.|ten?)? ?-?klasse",
}

RULES = (
    Rule("ich-bin", r"<iam><mild><n><or><end>"),
    Rule("ich-bin-noch", r"<iam> noch \w{1,10} (?:tage?|wochen?|monate?)(?: lang)? <n>(?:<old>|(?=<stop>))"),
    Rule(
        "ich-bin-name",
        r"(?<!\w)(?:ich bin|ich heisse|mein name ist) (?:der |die |eine? )?(?!<parent>\b)\w{2,20}(?:,| und) <n>"
        r" ?jahre? ?alt\b(?=<stop>)",
    ),
    Rule("ich-bin-end", r"(?<!\w)ich(?: [a-z]{1,20})?<mild><n><or><half>(?:<old>|<years>)? bin\b"),
    Rule("mein-alter", r"\bmein alter(?: ist| ?[:=-]|)<mild><n>(?:<old>|<years>)?(?=<stop>)"),
    Rule(
        "ich-bin-ein",
        r"<iam><mild>(?:eine?|'?ne?) (?:(?!<role>)\w{1,20} )?<aged>\b(?! (?:unternehmen|firma|verein|projekt))",
    ),
    Rule(
        "ich-bin-ein-word",
        r"<iam><mild>(?:eine?|'?ne?)"
        r" (?P<n>vierzehn|funfzehn|fuenfzehn|sechzehn|siebzehn|dreizehn|zwolf|elf|zehn)jahrige[rs]?\b",
    ),
    Rule("ich-alt", r"(?:^|[.!?\n] ?)ich,? <n><old>(?=<stop>)"),
    Rule("ich-komma", r"(?:^|[.!?\n] ?)ich(?:, <m>,| \(<m>\))", strength="W", least=10),
    Rule("ich-bin-ein-von", r"<iam><mild>eine? <person> (?:von|mit) <n> jahren\b"),
    Rule(
        "unter",
        r"<iam><mild>(?:unter|junger als) <n>(?: jahren?(?: alt)?\b)?(?=<stop>)(?! (?:monat|woche|tage))",
        reads="below",
    ),
    Rule("unter-alt", r"<iam><mild>(?:unter|junger als) <n> jahre(?:n)? alt\b", reads="below"),
    Rule("noch-nicht", r"<iam> noch nicht(?: mal| einmal)? <n>(?:<old>|<years>|(?=<stop>))", reads="below"),
    Rule("keine", r"<iam> (?:noch |erst )?keine <n>(?:<old>|<years>|(?=<stop>))", reads="below"),
    Rule("minderjahrig", r"<iam><mild>minderjahrig\b|(?<!\w)ich<mild>minderjahrig bin\b", reads="fixed", ages=(0, 17)),
    Rule(
        "nicht-volljahrig",
        r"<iam> (?:noch )?nicht volljahrig\b|(?<!\w)ich noch nicht volljahrig bin\b",
        reads="fixed",
        ages=(0, 17),
    ),
    Rule(
        "werde",
        r"(?<!\w)(?:ich werde?"
        r"|werde? ich)(?! heute)(?: [a-z]{1,20}){0,4}?(?: am \d{1,2}\. ?(?:<month>)?)? <n>"
        r"(?: jahre(?: alt)?)?(?=<stop>)",
        reads="turning",
    ),
    Rule("heute-werde", r"(?<!\w)(?:heute werde? ich|ich werde? heute) <n>(?: jahre(?: alt)?)?(?=<stop>)"),
    Rule("in-jahren", r"(?<!\w)in <k> jahren (?:werde|bin) ich <n>(?=<stop>|<old>)", reads="turning"),
    Rule("fast", r"<iam> (?:fast|beinahe|nahezu|bald) <n>(?:<old>|<years>)?(?=<stop>)", reads="turning"),
    Rule(
        "geworden",
        r"(?:<iam> <lately>|(?<!\w)<lately> bin ich(?: erst)?) <n>(?: jahre(?: alt)?)? geworden\b",
    ),
    Rule("geburtstag", r"\bmein <n>\. ?geburtstag ist (?:nachste|im|am|bald|morgen|in)", reads="turning"),
    Rule(
        "geboren",
        r"<iam> <place>(?:(?:am|im|in) )?<date> geboren\b|(?<!\w)ich wurde (?:am |im "
        r"|in )?<date> geboren\b",
        reads="born",
    ),
    Rule("jahrgang", r"<iam> (?:ein )?jahrgang <y>", reads="born"),
    Rule(
        "klasse",
        r"(?:(?<!\w)ich (?:gehe? in|besuche)|<iam> (?:gerade |jetzt |noch )?in) (?:die|der|eine[r]?) <class>\b",
        strength="W",
        reads="grade",
        shift=5,
    ),
    Rule(
        "klasse-schuler",
        r"<iam>(?: ein| eine)? schuler(?:in)? (?:der|einer|in der) <class>\b",
        strength="W",
        reads="grade",
        shift=5,
    ),
    *(
        Rule(
            f"klassler-{n}",
            rf"<iam>(?: ein| eine)? {stem}klassler(?:in)?\b",
            strength="W",
            reads="fixed",
            ages=(n + 5, n + 6),
        )
        for n, stem in enumerate(("fünft", "sechst", "siebt", "acht", "neunt", "zehnt", "elft", "zwölft"), start=5)
    ),
    Rule("schuler", r"<iam><mild>(?:ein |eine )?schuler(?:in)?(?=<stop>)", strength="W", reads="fixed", ages=(6, 19)),
    Rule(
        "gymnasium",
        r"(?<!\w)ich gehe? (?:noch )?(?:aufs|auf das|auf ein) gymnasium\b",
        strength="W",
        reads="fixed",
        ages=(10, 19),
    ),
    Rule("fragment", r"(?:^|\n ?)<n> jahre(?: alt)?,[^.!?\n]{0,40}\b(?:bin ich|ich)\b", strength="W"),
    Rule(
        "mit-finde",
        r"(?:^|[.!?\n] ?)mit (?:meinen )?<n>(?: jahren)? (?:finde|kann|darf|bin|mochte|suche|verstehe|muss|will) ich\b",
        strength="W",
    ),
    Rule(
        "als-jahriger",
        r"(?:^|[.!?,\n] ?)als <aged>(?: (?:madchen|junge|schuler(?:in)?|teenager))? (?:finde|kann|darf|bin|mochte|suche"
        r"|verstehe|muss|will|habe) ich\b",
        strength="W",
    ),
    Rule("hier", r"(?:^|[.!?\n] ?)<n>[ -]?jahriger?(?: aus \w{1,20})? hier(?=<stop>)", strength="W"),
    Rule("zwischen", r"<iam> zwischen <n> und <m>(?:<old>|<years>|(?=<stop>))", hedged=True),
    Rule(
        "bis-ich",
        r"(?<!\w)(?:(?:bis|bevor|sobald|ehe) ich <n>(?: jahre(?: alt)?)? (?:bin|werde)\b"
        r"|wenn ich <n>(?: jahre(?: alt)?)? werde\b"
        r"|wenn ich <n>(?: jahre(?: alt)?)? bin,? (?:werde|will|mochte|kann|darf) ich\b)",
        strength="W",
        reads="below",
        hedged=True,
    ),
    Rule(
        "kind-ist",
        r"(?<!\w)<who>,? (?:ist|sind|wird|gerade)(?: <lately>)?<mild><n>(?:<old>|<years>(?=<stop>)|(?=<stop>"
        r"| geworden\b))",
        about="other",
    ),
    Rule("kind-der", r"(?<!\w)<who>,? (?:die|der|das)<mild><n>(?:<old>|<years>)? ist\b", about="other"),
    Rule("kind-klammer", r"(?<!\w)<who>(?:,| \() ?<n>(?: jahren?(?: alt)?| j\.)?\)?(?=<stop>|[)])", about="other"),
    Rule(
        "kind-von",
        r"(?<!\w)(?:<who>|(?:ich habe|wir haben) (?:ein|eine|einen) <kid>) (?:von|mit) <n> jahren\b",
        about="other",
    ),
    Rule("kind-monate", r"(?<!\w)<who> ist<mild><n> (?:monate?|wochen|tage) alt\b", about="other", reads="months"),
    Rule(
        "elternteil",
        r"(?:<iam>|(?<!\w)als) (?:die |der |eine? )?<parent> (?:eine[rs]|von(?: einem| einer| zwei)?) (?:<aged>n?\b)",
        about="other",
    ),
    # Not followed by a noun: a thing may be so many years old, too.
    Rule(
        "mein-jahriger",
        r"(?<!\w)(?:mein|unser)(?:e|em|en|er|es)? <n>[ -]?jahrige[rnsm]?(?=<stop>| (?:hat|ist|wollte|will|mochte"
        r"|nutzt|benutzt|war|liebt|mag)\b)",
        about="other",
    ),
    Rule(
        "schuler-ist",
        r"(?<!\w)<pupil>,? (?:(?:sie |er )?(?:ist|sind)|die|der)<mild><n>(?: ?(?:und|oder|bis|-) ?<m>)?"
        r"(?:<old>|<years>(?=<stop>)|(?=<stop>)| (?:ist|sind)\b)",
        about="other",
    ),
    Rule(
        "jahriges-kind",
        # A child of somebody's: "ein 12-jähriges Mädchen" alone is how a case report begins.
        r"(?<!\w)(?:(?:mein|unser)(?:e|em|en|er|es)?|(?:(?:ich|wir) haben?|habe ich|haben wir|fur|<parent>)"
        r" eine?[rnms]?)(?: \w{1,20})? <aged> <kid>",
        about="other",
    ),
    Rule(
        "jahriges-kind-word",
        r"(?<!\w)(?:mein|unser|(?:(?:ich|wir) haben?|fur|<parent>) ein)(?:e|em|en|er|es)?"
        r" (?P<n>acht|neun|zehn|elf|zwolf|dreizehn|vierzehn|funfzehn"
        r"|sechzehn|siebzehn)jahrige[rnsm]? <kid>",
        about="other",
    ),
    Rule(
        "kind-geboren",
        r"(?<!\w)<who> (?:wurde|ist) <place>(?:(?:am|im|in) )?<date> geboren\b",
        about="other",
        reads="born",
    ),
    Rule(
        "kind-dann", r"(?<!\w)<who>[^.!?\n]{0,60}[.!?\n] ?(?:er|sie|es) ist<mild><n>(?:<old>|(?=<stop>))", about="other"
    ),
    Rule(
        "kind-nutzt",
        r"(?<!\w)<who> (?:hat|nutzt|benutzt|verwendet)(?: [a-z]{1,20}){0,3} (?:benutzt|genutzt|verwendet|angelegt"
        r"|eroffnet|gemacht|angemeldet|registriert|erstellt)\b",
        about="other",
        reads="unknown",
    ),
)

_OPENERS = "beide<>|bin<>|binn<>|ich<>|mit<>|als<>|mein alter<>|mein name<>"
_KIN = "mein<>|meine<>|meinem<>|meinen<>|meiner<>|meines<>|unser<>|unsere<>|unserem<>|unseren<>|unserer<>|unseres<>"
_FACTS = "benutzt|genutzt|verwend|angelegt|eroffnet|gemacht|angemeldet|registriert|erstellt"
GERMAN = Language(
    code="de",
    months=("jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"),
    numbers=NUMBERS,
    pieces=PIECES,
    rules=RULES,
    unreal_before=(
        r"(?:stell(?:en sie|t euch)? (?:dir |sich |euch )?(?:mal )?vor|angenommen|nehmen wir an|mal angenommen"
        r"|sagen wir"
        r"|als ob|als|so als|ich tue so|wie|im (?:roman|spiel|buch|traum))(?:, dass)?"
    ),
    hedge_before=(
        r"wenn|falls|ob|bis|bevor|sobald|sofern|(?:gesagt|sagte|schrieb|geschrieben|glaubt|denkt"
        r"|meint)(?: \w{1,20}){0,3},? dass"
    ),
    own_words=r"(?:schrieb ich|ich schrieb|ich habe geschrieben|sagte ich|gab ich an|ich sagte)",
    child_uses=r"konto|registr|angemeldet|nutzt|benutzt|genutzt|erstellt|eroffnet|kurs|seite|profil|angelegt",
    openers=tuple(_OPENERS.split("|")),
    units=("jahr", "j<>"),
    pairs=(
        (("bin<>", "binn<>", "ich<>"), ("minder", "vollja", "schu", "klass", "gymn")),
        (("mein<>",), ("geburtstag",)),
    ),
    kin=tuple(_KIN.split("|")),
    kin_pairs=((("mein<>", "meine<>", "unser<>", "unsere<>"), tuple(_FACTS.split("|"))),),
)
