"""French."""

from __future__ import annotations

from privacy_ops.minors.freetext.model import Language, Rule

_WORDS = "un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit"
NUMBERS = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
NUMBERS |= {"dix sept": 17, "dix huit": 18}

PIECES = {
    # Right after a number: it counts something else.
    "counted": (
        r"(?:d'|de\b|en\b|mois\b|semaines?\b|jours?\b|heures?\b|minutes?\b|pour cent\b|points?\b|sur\b|modules?\b"
        r"|questions?\b|passes\b|revolus dans)"
    ),
    "pupil": r"(?:mes|nos|mon|ma|notre) (?:\w{1,20} )?eleves?\b",
    "lately": (
        r"(?:hier|avant-hier|aujourd'hui|la semaine derniere|le mois dernier|cette semaine|ce mois"
        r"|il y a (?:peu|quelques jours))\b"
    ),
    "ihave": r"(?<!\w)(?:j ?'? ?ai|j ?'? ?aie|g|et moi,? (?:nous )?(?:avons|on a))",
    "mild": (
        r"(?: [(\[\"*]?(?:seulement|juste|actuellement|encore|deja|a peine|toujours|maintenant|aujourd'hui|environ"
        r"|exactement|tout juste|que|qu'|bien)[)\]\"*]?){0,3} "
    ),
    "years": r" ?(?:ans|an|annees?)\b",
    # Of age, not at work or together: "j'aurai 15 ans de mariage", "dans l'entreprise".
    "aged": (
        r"(?:<years>(?! (?:d'(?!age)|de\b|comme|chez|depuis|en tant|dans (?:l'(?!annee)|la|le|cet|mon|ma|notre|un"
        r" service)"
        r"|a (?:l'|la (?!rentree|fin|toussaint)|mon|cet)|au (?:service|travail|sein|meme))))"
    ),
    # At work, with a few words between: "j'ai 15 ans et demi d'expérience".
    "work": r"(?:metier|experience|pratique|carriere|service|anciennete|mariage|exercice|profession|maison)\b",
    "atwork": (
        r"(?:(?:(?! (?:et|mais) (?!demi|quelques|\d))[^.!?\n]){0,25} (?<!pas )(?<!peu )(?<!ans )d(?:e |')<work>"
        r"| pendant (?:lesquel|que\b))"
    ),
    "half": r"(?: et demie?)?",
    "stop": (
        r"(?: ?(?:$|[,;!?)\]\"]|\n(?!<counted>)|\.(?!\d)|- |:(?! ?\d)|<3(?!\d)|=\)|[^\w\s.,;:!?'\"()/%+°€$£&#@*=<>-])"
        r"|[*_\"]{0,3}(?: ?$| ?[.,!?;])"
        r"| (?:et|mais|donc|car|parce|alors|je|j'[a-z]{1,12}|mon|ma|mes|nous|on|c'est|ca|aujourd'hui|maintenant"
        r"|actuellement|seulement|selon|svp|s'il|merci"
        r"|mdr"
        r"|lol|puis|est-ce|et demi|revolus|pour le moment|bientot|la|pendant|depuis (?:hier|lundi|peu))(?![a-z]))"
    ),
    "end": r"<half><years>(?: d'age)?(?=<stop>)(?! (?:ou|et) (?:plus|quelques)\b)(?!<atwork>)",
    "or": r"(?: ?(?:ou|/|-|a) ?<m>)?",
    "who": (
        r"(?:mon|ma|notre|mes|nos) (?:(?:petite?|grande?|propre|jeune|petits|petites) )?(?:fils|filles?|enfants?"
        r"|freres?"
        r"|soeurs?|neveux?|nieces?|petit-fils|petite-fille|bebe|derniere?|ainee?|cadette|cadet|beau-fils|belle-fille"
        r"|filleule?|garcon|gamine?|ado)\b"
    ),
    "kid": r"(?:fils|filles?|enfants?|garcons?|bebe|frere|soeur|neveu|niece|ado|jumeaux|jumelles)\b",
    "person": (
        r"(?:fille|garcon|jeune(?: (?:fille|homme|femme))?|etudiante?|eleve|lyceen(?:ne)?|collegien(?:ne)?|ado"
        r"|meuf|mec|gamine?|adolescente?|femme|homme|personne|benevole)"
    ),
    "iam": r"(?<!\w)(?:je suis|j'? ?suis|chuis?)",
}
_GRADES = {
    "sixieme|6 ?e(?:me)?": (11, 12),
    "cinquieme|5 ?e(?:me)?": (12, 13),
    "quatrieme|4 ?e(?:me)?": (13, 14),
    "troisieme|3 ?e(?:me)?": (14, 15),
    "seconde|2nde": (15, 16),
    "premiere|1ere": (16, 17),
    "terminale|tle": (17, 18),
}

RULES = (
    Rule("j-ai", r"(?<!demain )(?<!demain, )<ihave><mild><n><or><end>"),
    Rule("demain", r"(?<!\w)demain,? <ihave> <n><years>(?=<stop>)", reads="turning"),
    # A verb of the writer's own in the present, and nobody else there whom it may be said of.
    Rule(
        "n-ayant-que",
        r"(?:^|[.!?;\n] ?)(?:n'ayant (?:encore )?qu(?:e |')|ayant )<n><years>,? je (?:ne (?:peux|dois|sais)\b|n'ai pas"
        r"|n'arrive|dois|peux|voudrais|veux|souhaite|cherche)(?![^.!?\n]{0,60}\b(?:lui|elle|il|patiente?)\b)",
    ),
    Rule(
        "j-ai-open",
        r"<ihave><mild><n><half><years>(?!<atwork>) (?!que je |<counted>|ou plus"
        r"|a (?:l'|la|mon)|au |dans |chez |comme |depuis )(?=[a-z])",
        strength="W",
        hedged=True,
    ),
    Rule("n-ai-que", r"(?<!\w)je n'ai (?:encore )?qu(?:e |')<n><end>"),
    Rule("mon-age", r"\bmon age(?: est(?: de)?| ?[:=-])? ?<n><years>(?=<stop>)"),
    Rule(
        "nom-age",
        r"(?<!\w)(?:je m'appelle|moi,? c'est|mon (?:pre)?nom est) \w{2,20}(?: \w{2,20})?(?:,| et)"
        # The years may be those at work: "Je m'appelle Anne, 15 ans, comme infirmière".
        r"(?: j'ai)? <n><years>(?=<stop>)(?!,? (?:comme|dans|chez|au|en|depuis)\b)",
    ),
    # May be the years at work: "je suis infirmière, 15 ans".
    Rule("je-suis-nom-age", r"<iam> \w{2,20}(?:, ?| ?\()<m><years>\)?(?=<stop>)", strength="W"),
    Rule("je-suis-age", r"<iam>(?: \w{1,20})? agee? de <n><years>(?=<stop>)"),
    Rule(
        "je-suis-un",
        r"<iam>(?: juste| seulement| encore| qu'| aussi)? ?une? <person> de <n><years>\b"
        r"(?! (?:son|sa|mon|ma|leur) ain| de (?:plus|moins)"
        r"| d(?:e |')(?:mariage|carriere|metier|service|pratique|experience|anciennete|exercice))",
    ),
    Rule("mineur", r"<iam>(?: encore| toujours)? mineure?(?! de\b)(?=<stop>)", reads="fixed", ages=(0, 17)),
    Rule("pas-majeur", r"(?<!\w)je (?:ne )?suis pas(?: encore)? majeure?\b", reads="fixed", ages=(0, 17)),
    Rule("etant-mineur", r"(?<!\w)etant(?: encore)? mineure?(?! de\b)(?=<stop>)", reads="fixed", ages=(0, 17)),
    Rule("n-aurai-que", r"(?<!\w)je n'aurai(?: mes)? <n><years> qu(?:e |')", reads="below"),
    Rule("moins-de", r"<ihave> moins de <n><aged>", reads="below"),
    Rule("pas-encore", r"(?<!\w)je n'ai pas encore(?: mes)? <n><aged>", reads="below"),
    Rule("pas-encore-familiar", r"<ihave> pas encore(?: mes)? <n><aged>", reads="below"),
    Rule("aujourdhui-je-fete", r"(?<!\w)aujourd'hui,? je fete mes <n><aged>"),
    Rule(
        "j-aurai",
        r"(?<!quand )(?<!aujourd'hui )(?<!aujourd'hui, )(?<!\w)(?:j ?'? ?aurai(?: bientot)?"
        r"|je vais(?: bientot)? avoir|je fete(?:rai)?(?: bientot)? mes|je vais sur mes|<ihave> (?:presque|bientot"
        r"|quasiment))(?: mes)? <n><aged>",
        reads="turning",
    ),
    Rule("dans-ans", r"(?<!\w)dans <k> ans?,? j'? ?aurai <n><aged>", reads="turning"),
    Rule("viens-d-avoir", r"(?<!\w)je viens (?:(?:tout )?juste |a peine )?(?:d'avoir|de feter mes) <n><aged>"),
    Rule(
        "j-ai-eu",
        r"<ihave> eu <n><years> <lately>",
    ),
    Rule("ne-en", r"<iam> nee? <place>(?:en|le) <date>", reads="born"),
    *(
        Rule(
            f"classe-{first}",
            rf"<iam> (?:actuellement |encore )?(?:en|(?:une? )?eleve (?:de|en)) (?:classe de )?(?:{grade})\b"
            r"(?! (?:annee|ligne|lecture|position"
            rf"|auteure?|partie|intention|phase|place|de|en)\b)",
            strength="W",
            reads="fixed",
            ages=(first, last),
        )
        for grade, (first, last) in _GRADES.items()
    ),
    Rule(
        "lycee",
        r"<iam>(?: encore| actuellement| une?)? (?:au lycee\b|lyceen(?:ne)?\b)",
        strength="W",
        reads="fixed",
        ages=(15, 18),
    ),
    Rule(
        "college",
        r"<iam>(?: encore| actuellement| une?)? (?:au college\b|collegien(?:ne)?\b)",
        strength="W",
        reads="fixed",
        ages=(11, 15),
    ),
    Rule("en-tant-que", r"(?<!\w)en tant qu(?:e |')<person> de <n><years>,? je (?!\w{1,20}ais\b)", strength="W"),
    Rule("fragment", r"(?:^|\n ?)<person> de <n><years>(?=,)", strength="W"),
    Rule(
        "a-ans-je",
        r"(?<!\w)(?:a|du haut de mes|avec mes) <n><years>,? (?:je (?!suis (?:parti|alle|devenu)|me suis)|j'aime"
        r"|j'adore|c'est)",
        strength="W",
    ),
    Rule("entre", r"<ihave> entre <n> et <m><years>", hedged=True),
    Rule(
        "jusqu-a",
        r"(?<!\w)(?:jusqu'a (?:ce que )?(?:j'aie |mes )|quand j'aurai |lorsque j'aurai |des que j'aurai "
        r"|avant (?:d'avoir|mes) )<n><years>",
        strength="W",
        reads="below",
        hedged=True,
    ),
    Rule(
        "enfant-a",
        r"(?<!\w)<who>,?(?: qui)? (?:a|ont|n'ont que|n'a que|vient d'avoir|n'a qu')<mild>?<n><years>(?=<stop>)",
        about="other",
    ),
    Rule("enfant-a-eu", r"(?<!\w)<who> a eu <n><years> <lately>", about="other"),
    Rule(
        "eleve",
        r"(?<!\w)<pupil>,?(?:(?: qui)? (?:a|ont)<mild>| de )<n>(?:(?: et | ou | a |-)<m>)?<years>(?! d)",
        about="other",
    ),
    Rule("enfant-de", r"(?<!\w)<who>(?:,| \(| de| agee? de)? ?<n><years>", about="other"),
    Rule("enfant-mois", r"(?<!\w)<who>,?(?: qui)? a<mild><n> (?:mois|semaines|jours)\b", about="other", reads="months"),
    Rule(
        "j-ai-un-enfant",
        r"(?<!\w)(?:j'ai|nous avons|on a) (?:une?|deux|trois) (?:petite? |jeune )?<kid>"
        r" de <n>(?:(?: et |, )<m>)?<years>",
        about="other",
    ),
    Rule(
        "parent-de",
        r"(?:<iam>|(?<!\w)en tant que) (?:la mere|le pere|le tuteur|la tutrice|mere|pere|maman|papa)"
        r" d(?:e (?:deux )?|'|'une? )<kid> de <n><years>",
        about="other",
    ),
    Rule("enfant-ne", r"(?<!\w)<who> est nee? <place>(?:en|le) <date>", about="other", reads="born"),
    Rule(
        "enfant-puis",
        r"(?<!\w)<who>[^.!?\n]{0,60}[.!?\n] ?(?:il|elle) (?:a|n'a que)<mild><n><years>(?=<stop>)",
        about="other",
    ),
    Rule(
        "enfant-utilise",
        r"(?<!\w)<who> (?:a |s'est )?(?:utilise|cree|ouvert|inscrite?|fait ce compte|connectee?)\b",
        about="other",
        reads="unknown",
    ),
)

_OPENERS = (
    "j'ai|j' ai|j 'ai|j ai|jai"
    "|j'au|j' au|j 'au|j au|jau|n'ai|n'au|demain<>|g<>|je<>"
    "|j'suis<>|j' suis<>|j suis<>|jsuis<>|chui|age<>|nous avons<>|on a<>|avant|jusqu|moi<>|mon<>"
)
_KIN = ("mon<>", "ma<>", "notre<>", "mes<>", "nos<>")
_FACTS = "mineur|majeur|lyc|coll|sixieme|cinquieme|quatrieme|troisieme|seconde|2nde|premiere|1ere|terminale|tle<>"
FRENCH = Language(
    code="fr",
    months=("jan", "fev", "mars", "avr", "mai", "juin", "juil", "aou", "sep", "oct", "nov", "dec"),
    numbers=NUMBERS,
    pieces=PIECES,
    rules=RULES,
    unreal_before=(
        r"(?:imaginez|imagine|imaginons|supposons|supposez|suppose|disons|comme si|on dirait|admettons"
        r"|dans (?:le roman|l'histoire|le jeu|mon reve),?)(?: que)?"
    ),
    hedge_before=(
        r"si|quand|lorsque|jusqu'a ce que|avant que"
        r"|(?:dit|ecrit|mis|indique|raconte|declare|pensent?|croit|croient)(?: \w{1,20}){0,3} qu(?:e|')"
    ),
    own_words=r"(?:j'ai (?:ecrit|mis|dit|indique|repondu|coche)|j'ecris)",
    child_uses=r"compte|inscri|utilis|cre|ouvert|cours\b|site|profil|connect|adresse",
    openers=tuple(_OPENERS.split("|")),
    units=("an<>", "ans<>", "ann"),
    pairs=(
        (
            ("je<>", "j'suis<>", "j' suis<>", "j suis<>", "jsuis<>", "chui", "etant<>"),
            tuple(_FACTS.split("|")),
        ),
    ),
    kin=_KIN,
    kin_pairs=((_KIN, ("utilis", "cree", "ouvert", "inscri", "fait", "connect")),),
)
