"""English."""

from __future__ import annotations

from privacy_ops.minors.freetext.model import Language, Rule

_WORDS = (
    "one two three four five six seven eight nine ten"
    " eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
)
NUMBERS = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
_ORDINALS = "seventh eighth ninth tenth eleventh twelfth"
NUMBERS |= {word: number for number, word in enumerate(_ORDINALS.split(), start=7)}

_ADVERBS = (
    "only|just|still|currently|already|now|really|actually|barely|merely|officially|technically|literally|sadly|like"
    "|unfortunately|also|myself|today|honestly|both|in fact|of course|exactly|definitely|presently|a mere|about"
    "|around|roughly|approximately"
)
PIECES = {
    # Right after a number: it counts something else.
    "counted": (
        r"(?:years?|yrs?|months?|weeks?|days?|hours?|minutes?|miles?|km|kg|percent|per cent|points?|of|times"
        r"|lessons?|modules?|questions?|pages?|ft|feet|foot|cm|in|into|out|to|away|behind|ahead|below|above|short"
        r"|per|st"
        r"|stone|kilos?|grams?|mg|ml|am|pm|years|euros?|pounds?|dollars?|percentage|short"
        r"|\w{1,20}(?<!thi)(?<!hi)(?<!wa)(?<! i)s)\b"
    ),
    # "im" before a number with a full stop is German: "im 16. Jahrhundert".
    # Of several only who says "both" or "all": "we are 12" counts people.
    "iam": r"(?<![\w'])(?:(?:i am|i ?'m|i m|me and (?:(?!team|colleagues|staff|class)\w{1,20} ){1,3}are|and i are"
    r"|(?:we are|we're)(?: both| all))"
    r"|im(?! ?\d{1,2}\. ?\w))",
    # Without those that compare: "I am like a 15-year-old with this".
    "truly": r"(?: (?:only|just|still|currently|actually|already|now|really|also|literally|honestly)){0,2} ",
    "mild": rf"(?: [(\[\"*]?(?:{_ADVERBS})[)\]\"*]?,?){{0,3}} ",
    # A unit that leaves no doubt; a single slip of the finger is forgiven.
    "old": (
        r" ?-?(?:years?|yeras?|yaers?|yr'?s?|y)[ -]?(?:old|olds?|of age|young|odl)(?![\w'-]| patient)"
        r"| ?y ?[./]? ?o\b\.?"
    ),
    "years": r" ?-?(?:years?|yeras?|yrs?)",
    # After "years" without "old", which may be those at work: "I'm 16 years now with this company".
    "onlyage": (
        r"(?= ?(?:$|[.!?;)\]\"\n]|,(?! (?:an?|in|at|with|since|then)\b)|:(?! ?\d))| (?:and|but|so|because|pls|plz"
        r"|please|can|i|my|living|male|female|girl|boy|lol|btw)\b)(?! (?:and|but) (?:counting|still|now|an?|some)\b)"
    ),
    # More of what is counted: "11 and a half months", "16 and 17 on the list".
    "range": (
        r"(?:,? ?(?:and|or|to|-|&) ?(?:a half|half|\d{1,2}) (?:weeks?|months?|minutes?|mins?|hours?|days?|(?:on|in|of)"
        r" the)\b|, ?\d{1,2} and \d{1,2}\b)"
    ),
    "half": r"(?:[.,]5|½| 1/2| and a half| (?:and )?[a-z0-9]{1,5} months)?",
    # What may follow a number that stands alone.
    "stop": (
        r"(?!<range>)(?:(?: ?(?:$|[,;!?)\]\"]|\n(?!<counted>)|\.(?!\d)|- "
        r"|\((?=(?:\d{1,2} (?:in(?! total| all)|on|next|soon)|almost|nearly|turning|soon|going)\b)"
        r"|:(?! ?\d)|<3(?!\d)|=\)|[^\w\s.,;:!?'\"()/%+°€$£&#@*=<>-])"
        r"|[*_\"]{0,3}(?: ?$| ?[.,!?;])"
        r"| (?:and|but|so|or|because|as|since|though|although|btw|lol|lmao|xd|pls|plz|please|now|today|too|still"
        r"|already|yet"
        r"|then(?! \d)|can|could|may|should|do|does|what|how|why|is|i|im|i'm|my|me"
        r"|from(?! (?:\d|the (?:end|top|bottom)))|living|at the moment|going|by the way"
        r"|if|in your|with|who|that|which|here|this|it|we|u|you|thanks|thank|sorry|haha|plus|also|hence|therefore"
        r"|n|until|till|next|for another|for now|female|male|girl|boy|not|idk|ok|right now|and a half)\b))"
    ),
    "bare": r"(?P<bare>(?=<stop>)(?! (?:or|and) (?:over|older|above|more|up)\b))",
    "end": r"(?:<half>(?:<old>|<years><onlyage>|<bare>| ?[fm]\b(?!\.)))",
    "or": r"(?: ?(?:or|/|-|to|going on) ?<m>)?",
    "soon": r"almost|nearly|soon|virtually|close to|practically|soon to be|about to (?:be|turn)|going to be",
    "who": (
        r"(?:my|our) (?:(?:own|little|younger|older|elder|eldest|youngest|oldest|big|twin|baby|two"
        r"|\d{1,2}[- ]year[- ]old)"
        r" ){0,2}(?:daughters?|sons?|child(?:ren)?|kids?|boys?|girls?|grandson|granddaughter|grandchild|nephew|niece"
        r"|brothers?|sisters?|step-?son|step-?daughter|foster (?:son|daughter|child)|baby|toddler|twins|youngest|eldest"
        r"|oldest"
        r"|teenager|teen|ward|godson|goddaughter)\b"
    ),
    "pupil": r"(?:my|our) (?:\w{1,20} )?(?:pupils?|students?)\b",
    "person": (
        r"(?:girl|boy|student|pupil|teen|teenager|kid|child|person|guy|schoolgirl|schoolboy|learner|female|male"
        r"|volunteer)"
    ),
    # Who has a child or works with children, and what else may be so many years old.
    "role": (
        r"(?:mum|mom|mother|dad|father|parent|step(?:mum|mom|mother|dad|father)|carer|guardian|nanny|grand\w{2,8}"
        r"|aunt|uncle|teacher|tutor|coach|nurse|doctor|gp|paediatrician|pediatrician)"
    ),
    "thing": (
        r"(?:company|firm|start-?up|business|charity|organi[sz]ation|subscriber|member|customer|account|at heart"
        r"|inside|trapped)"
    ),
    "kid": (
        r"(?:(?:son|daughter|child|kid|boy|girl|baby|nephew|niece|brother|sister|grandson|granddaughter|stepson"
        r"|stepdaughter|teenager|teen|toddler|twins|children|kids|sons|daughters)\b)"
    ),
}

RULES = (
    Rule("i-am", r"<iam><mild><n><or><end>"),
    # Any other word after the number: perhaps a statement without punctuation.
    Rule(
        "i-am-open", r"<iam><mild><n> (?!<counted>|<stop>|(?:or|and) )(?=[a-z]{2})", strength="W", hedged=True, least=10
    ),
    Rule(
        "i-am-name",
        r"(?:<iam>|\bmy name is|\bthis is) \w{2,20}(?:,| and)(?: aged?)? <n>(?:<old>|,? from\b)(?=<stop>| \w|$)",
        strength="W",
    ),
    # A name, and an age that has its unit: nothing else is told so.
    Rule("my-name", r"\bmy name is \w{2,20}(?: \w{2,20})?(?:,| and)(?: aged?)? <n><old>(?=<stop>)(?! (?:is|who)\b)"),
    Rule(
        "my-age",
        # "People my age, 15" is not about the writer alone.
        r"(?:\bmy age is<mild>|(?:^|[.!?,;(\n] ?|\b(?:and|hi|hello) )my age(?: ?[:=-] ?| ))<n><or>"
        r"(?:<old>|<years><onlyage>|(?=<stop>))",
    ),
    Rule(
        "i-am-a",
        # Neither whose child it is ("a mother to"), nor what a company or a charity says of itself.
        r"(?!we)<iam><truly>(?:a|an) (?:(?!(?:to|for|with|of|from|and|or|but|when|<role>)\b)\w{1,20} ){0,2}<n>"
        r"(?:[ -]?(?:years?|yrs?)[ -]?old| ?y ?/?o)\b(?!'s)(?! <thing>\b| \w{1,20}'s\b| (?:girl|boy|kid)s )"
        r"(?= ?\w|<stop>)",
    ),
    Rule(
        "i-am-a-person", r"(?!we)<iam><mild>an? (?:\w{1,20} )?<person>,? (?:aged|who is|who's) <n>(?:<old>|(?=<stop>))"
    ),
    Rule("i-am-a-person-old", r"(?!we)<iam><mild>an? (?:\w{1,20} )?<person>(?:,| and) <n><old>(?=<stop>)(?! is\b)"),
    Rule(
        "i-am-a-person-bracket",
        r"(?!we)<iam><mild>an? (?:\w{1,20} )?<person> \(<m>(?:<old>)?\)",
        strength="W",
        least=10,
    ),
    # How speakers of Romance languages put it.
    Rule("i-have-years-old", r"(?<![\w'])i have<mild><n> years old(?=<stop>)"),
    Rule("turning-fragment", r"(?:^|[.!?\n] ?)turning <n> (?:next|this|in|on|soon|tomorrow)\b", strength="W"),
    Rule("i-am-a-girl-of", r"(?!we)<iam><mild>an? (?:girl|boy|student|pupil) of <n>(?:<old>|(?=<stop>))"),
    Rule("as-someone", r"(?<!\w)as some(?:one|body) (?:aged|who is|who's) <n>(?:<old>|(?=<stop>))", strength="W"),
    Rule(
        "being",
        r"(?<!\w)being (?:only |just |still )?<n>(?:<old>)?,? i"
        r" (?!was|had|used|were|did|thought|felt|knew|got|went)(?:'m|[a-z]{2})",
        strength="W",
    ),
    # Beginning its sentence and with a verb in the present, and nobody else there whom it may be said of.
    Rule(
        "being-now",
        r"(?:^|[.!?;\n] ?|\b(?:and|but|so) )being<mild><n>(?:<old>)?,? i"
        r"(?:'m| (?:am|do|don'?t|can|can'?t|cannot|have|haven'?t|need|want|think|feel|find|live|love|like))\b"
        r"(?![^.!?\n]{0,60}\b(?:he|she|her|him|his|they|them)\b)",
    ),
    Rule(
        "under",
        r"<iam><mild>(?:under|below|younger than|less than|not over)(?: the)?(?: age(?: of)?)? <n>(?:<old>"
        r"|<years><onlyage>|(?=<stop>))",
        reads="below",
    ),
    Rule(
        "not-yet",
        r"<iam> not (?:yet|even|quite) <n>(?:<old>|<years><onlyage>|(?=<stop>))",
        reads="below",
    ),
    Rule(
        "not-turned",
        r"(?<![\w'])i (?:haven'?t|have not)(?: yet| even)? (?:turned|reached) <n>(?:<old>|(?=<stop>))",
        reads="below",
    ),
    Rule("aged", r"<iam><mild>aged:? <n>(?:<old>|<years><onlyage>|(?=<stop>))"),
    Rule("not-yet-after", r"<iam> not <n>(?:<old>|<years>)? yet\b", reads="below"),
    Rule(
        "minor",
        r"<iam><mild>(?:a minor(?= ?(?:$|[.,;!?\n)]|and\b|but\b|so\b|please\b))|under ?-?age\b"
        r"|not (?:yet )?(?:an adult|of (?:legal )?age)\b)",
        reads="fixed",
        ages=(0, 17),
    ),
    Rule(
        "will-not-be",
        r"(?<![\w'])i (?:won'?t|will not) (?:be|turn) <n>(?:<old>)? (?:until|till|before|for another)\b",
        reads="below",
    ),
    Rule(
        "almost",
        r"<iam> (?:<soon>) <n>(?:<old>|<years><onlyage>|(?=<stop>))",
        reads="turning",
    ),
    Rule(
        "turning",
        r"(?<![\w'])(?:i turn|i will (?:soon )?(?:turn|be)|i'?ll (?:soon )?(?:turn|be)|<iam> (?:turning"
        r"|going to (?:turn|be)|about to (?:turn|be)))<mild><n>(?:<old>|<years>)?(?=<stop>| (?:next|in|on|this|soon"
        r"|later|tomorrow|within)\b)(?! (?:when|in (?:19|20)))",
        reads="turning",
    ),
    Rule(
        "turning-ahead",
        r"(?<!\w)in <k> years?(?:' time)?,? (?:i will|i'?ll) (?:turn|be) <n>(?=<stop>|<old>)",
        reads="turning",
    ),
    Rule("turned-now", r"(?<![\w'])i(?: have| ?'?ve)? (?:just|recently) turned <n>(?:<old>)?(?=<stop>)"),
    Rule(
        "turned-lately",
        r"(?<![\w'])i turned <n>(?:<old>)? (?:yesterday|today|recently|last (?:week|month)|this (?:week|month)"
        r"|(?:a few|two|three) (?:days|weeks) ago)\b",
    ),
    Rule(
        "birthday-coming",
        r"\bmy (?:<n>(?:st|nd|rd|th)|<n>) birthday is (?:next|in|on|coming|soon|tomorrow|this)\b",
        reads="turning",
    ),
    Rule("birthday-now", r"\b(?:today|this|it) ?(?:is|'s)(?: just)? my <n>(?:st|nd|rd|th)? birthday\b"),
    Rule("born", r"(?<![\w'])i was born <place>(?:(?:on|in) )?<date>", reads="born"),
    Rule(
        "year-group",
        r"<iam>(?: still| now| currently)? (?:in|a|doing|starting) (?:year|yr|y) ?<n>(?! of\b)(?=<stop>| (?:at|pupil"
        r"|student|in|of school)\b)",
        strength="W",
        reads="grade",
        shift=4,
    ),
    Rule(
        "grade",
        r"<iam>(?: still| now| currently)? (?:in|a) (?:the )?(?:<n>(?:th|st|nd|rd)? ?-?grade(?:r)?"
        r"|grade <m>)(?=<stop>| (?:at|student|pupil|in)\b|\b(?! \w))",
        strength="W",
        reads="grade",
        shift=5,
    ),
    Rule(
        "sixth-form",
        r"<iam>(?: still| now| currently)? (?:in(?: the)?|at|a)(?: lower| upper)? sixth[- ]form",
        strength="W",
        reads="fixed",
        ages=(16, 18),
    ),
    Rule(
        "gcse",
        r"<iam>(?: still| now| currently)? (?:doing|taking|studying for|sitting|revising for)(?: my)? gcses?\b",
        strength="W",
        reads="fixed",
        ages=(14, 16),
    ),
    Rule(
        "a-levels",
        r"<iam>(?: still| now| currently)? (?:(?:doing|taking|studying for|sitting|revising for)(?: my)?"
        r"|an?) a[- ]levels?\b",
        strength="W",
        reads="fixed",
        ages=(16, 18),
    ),
    Rule(
        "high-school",
        r"(?:<iam>(?: still| now| currently)? (?:in|at|a)|(?<![\w'])i go to(?: a)?) (?:high[- ]?school(?:er\b"
        r"| (?:student|pupil|freshman"
        r"|sophomore|junior|senior))?)(?! (?:teacher|nurse|counsellor|counselor|graduate))",
        strength="W",
        reads="fixed",
        ages=(14, 18),
    ),
    *(
        Rule(
            f"high-school-{year}",
            rf"<iam>(?: still| now| currently)? an? {year} (?:in|at)(?: an?| my)? high[- ]?school\b",
            strength="W",
            reads="fixed",
            ages=(age, age + 1),
        )
        for age, year in enumerate(("freshman", "sophomore", "junior", "senior"), start=14)
    ),
    Rule(
        "pupil",
        r"(?:<iam>(?: still| now| currently)? (?:at|in)|(?<![\w'])i go to)(?: an?)? (?:secondary|middle|primary)"
        r" school\b|<iam> a (?:school"
        r"|secondary school) (?:pupil|student|boy|girl)\b",
        strength="W",
        reads="fixed",
        ages=(5, 18),
    ),
    Rule(
        "year-here",
        r"(?:^|[.!?\n] ?)(?:year|yr) ?<n> (?:student|pupil)(?: from \w{1,20})? here\b",
        strength="W",
        reads="grade",
        shift=4,
    ),
    Rule(
        "fragment-here",
        r"(?:^|[.!?\n] ?|(?<!\w)(?:hi|hiya|hello|hey),? )<n><old>[^.!?;:\n]{0,30}\bhere\b",
        strength="W",
    ),
    Rule(
        "as-a",
        r"(?:^|[.!?,;\n] ?)as an? <n><old>(?= ?,| \w)(?=[^.!?\n]{0,30}\bi (?!was|had|used|were|did))",
        strength="W",
    ),
    # With its unit: an hour is told the same way ("at 10 I am free").
    Rule(
        "at-now",
        r"(?:^|[.!?,;\n] ?)at (?:only |just )?<n><old>,? i"
        r"(?:'m| (?:am|do|don'?t|can'?t|cannot|need|want|feel|think|find|still))\b",
        strength="W",
    ),
    Rule("between", r"<iam> between <n> and <m>(?=<stop>|<old>|<years>)", hedged=True),
    Rule(
        "until",
        r"(?:until|till|before|once|when) (?:i am|i'm|im|i turn|i have turned) <n>(?=<stop>|<old>|<years>"
        r"| \w)(?! (?:weeks|months|days|minutes|hours)\b)",
        strength="W",
        reads="below",
        hedged=True,
    ),
    Rule(
        "child-is",
        r"\b<who>,?(?: who)?(?: is| are|'s|,? aged?| has just turned| just turned|,)?<mild>?\(?<n>(?:<half>(?:<old>"
        r"|<years><onlyage>|(?=<stop>|\))))",
        about="other",
    ),
    Rule(
        "child-is-months",
        r"\b<who>,?(?: who)?(?: is|'s|,? aged)<mild><n> (?:months?|weeks?|days?) old",
        about="other",
        reads="months",
    ),
    Rule(
        "year-old-child",
        r"\b(?:my|our|have an?|has an?|of an?|for an?|to an?)(?: \w{1,20})? <n>[ -](?:year|yr)s?[ -]old"
        r"(?: \w{1,20})? <kid>",
        about="other",
    ),
    Rule(
        "my-year-old",
        r"\b(?:my|our|(?:mother|mum|mom|father|dad|parent|guardian)s? (?:of|to)(?: an?)?|i have an?)"
        r" <n>[ -](?:year|yr)s?[ -]old(?=<stop>| <kid>| (?:has|had|did|does|was|wants|loves|likes|made|signed|created"
        r"|opened|got|keeps|asked|will|needs|registered|joined|uses|used (?:my|the|this|your|it))\b)",
        about="other",
    ),
    Rule(
        "child-turned",
        r"\b<who> (?:has )?turned <n> (?:yesterday|today|recently|last (?:week|month)|this (?:week|month))\b",
        about="other",
    ),
    # A bare number beside several pupils may count them.
    Rule(
        "pupil-is",
        r"\b<pupil>,? (?:(?:who )?(?:is|are)<mild><n><or><old>|(?:who (?:is|are)|aged?) <n><or>(?=<stop>)"
        r"|\(<n> ?(?:-|to|and) ?<m>\))",
        about="other",
    ),
    Rule(
        "child-born",
        r"\b<who> was born <place>(?:(?:on|in) )?<date>",
        about="other",
        reads="born",
    ),
    Rule(
        "child-then-age",
        r"\b<who>[^.!?\n]{0,60}[.!?\n] ?(?:he|she|they) (?:is|are)<mild><n>(?=<stop>|<old>)",
        about="other",
    ),
    Rule(
        "children-ages",
        r"\b(?:my|our|have|has)(?: \w{1,20})? (?:kids|children|sons|daughters|boys|girls|twins),?(?: are| aged"
        r"| who are)? <n>(?: and | & |, ?)<m>(?=<stop>|<old>)",
        about="other",
    ),
    Rule(
        "child-used",
        r"\b<who> (?:has |have |must have )?(?:used|uses|created|opened|made|registered|signed up|is using|joined"
        r"|logged)\b",
        about="other",
        reads="unknown",
    ),
)

_OPENERS = (
    "i am<>|i'm<>|i 'm<>|im<>|i m<>|i are<>|we are<>|we're<>|me and<>|this is<>|i turn|i will|i wo|i have|i just"
    "|i haven"
    "|i recently|i was|being<>|i'll<>|ill<>|i'll<>|i 've<>|i've<>|ive<>|i ve<>"
    "|my age<>|my name<>|someone<>|somebody<>|turning<>"
)
_KIN = "my<>|our<>|kids<>|children<>|sons<>|daughters<>|boys<>|girls<>|twins<>"
_FACTS = "minor<>|underage|under age|under-age|age<>|adult|school|gcse|a level|a-level|sixth"
ENGLISH = Language(
    code="en",
    months=("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    numbers=NUMBERS,
    pieces=PIECES,
    rules=RULES,
    unreal_before=(
        r"(?:imagine|suppose|supposing|pretend|assume|assuming|let'?s say|what if|as if|as though|like|wish|than|dream"
        r"|dreamt|feel like|look like|in (?:the|this|a|my|your) (?:novel|story|game|play|role ?play|book|film|movie"
        r"|dream))(?: that)?"
    ),
    hedge_before=(
        r"if|whether|unless|in case|when|until|till|once|before|after|even if"
        # "I should say that I am 16" says it.
        r"|(?:told|said|says|(?<!(?<!maybe )i should )(?<!i must )(?<!let me )(?:tell|say)|wrote|write|claimed|entered"
        r"|typed|put|thinks?|thought)(?: (?!and\b|but\b)\w{1,20}){0,4}"
    ),
    own_words=r"i (?:said|wrote|put|typed|entered|told|answered|ticked)",
    child_uses=(
        r"account|sign(?:ed)? ?up|signed|regist|us(?:e|es|ed|ing)\b|log(?:ged|s)? ?in|join|enrol|creat|opened|course"
        r"|this site|website|profile"
    ),
    openers=tuple(_OPENERS.split("|")),
    units=("year", "yera", "yaer", "yr", "y<>", "yo<>", "yol", "yof", "yod", "yyo"),
    pairs=(
        (("year<>", "yr<>"), ("here<>",)),
        (
            ("i am<>", "i'm<>", "i 'm<>", "im<>", "i m<>", "i are<>", "we are<>", "we're<>", "i go<>"),
            tuple(_FACTS.split("|")),
        ),
        (("my<>",), ("birthday",)),
    ),
    kin=tuple(_KIN.split("|")),
    kin_pairs=((("my<>", "our<>"), ("use", "using", "creat", "opened", "made", "regist", "sign", "join", "log")),),
)
