"""Spanish."""

from __future__ import annotations

from privacy_ops.minors.freetext.model import Language, Rule

_WORDS = (
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho"
)
NUMBERS = {word: number for number, word in enumerate(_WORDS.split(), start=1)}
_ORDINALS = {"primero": 1, "primer": 1, "segundo": 2, "tercero": 3, "tercer": 3, "cuarto": 4, "quinto": 5, "sexto": 6}
NUMBERS |= _ORDINALS

PIECES = {
    # Right after a number: it counts something else.
    "counted": (
        r"(?:de|en|trabajando|"
        r"como(?! (?:puedo|hago|cambi|borr|entr|elimin|recuper|me\b|se\b))"
        r"|con|sin|meses|semanas|dias|horas|minutos|por ciento|puntos|modulos|preguntas)\b"
    ),
    "ihave": r"(?<!\bno )(?<!\w)(?:te?ngo|sigo teniendo|y yo tenemos|ambos tenemos|ambas tenemos)",
    "mild": (
        r"(?: [(\[\"*]?(?:solo|solamente|apenas|actualmente|ahora|ya|todavia|aun|recien|justo|exactamente|casi no"
        r"|sus|hoy"
        r"|unos|tan solo|nada mas|alrededor de|como)[)\]\"*]?){0,3} "
    ),
    "years": r" ?(?:anos{1,6}|an~os|anitos|ans|ano|aos|anios|ani?os)\b",
    # Of age, not at work or together: "cumplo 15 años de casada", "en la empresa".
    "aged": (
        r"(?:<years>(?! (?:de\b(?! edad)|como|con|sin|siendo|trabaj|ejerc|dedicad|desde|limpi|sobri|casad|junt"
        r"|en (?:el|la|mi|un|una|est[ea]|nuestr[oa]) (?!proxim|primavera|semana|mes|verano|otono|invierno|navidad))))"
    ),
    "work": (
        r"(?:experiencia|matrimonio|casad|antiguedad|servicio|carrera|practica|ejercicio|profesion|oficio|trayectoria"
        r"|docencia|relacion|sobri)"
    ),
    # At work, with a few words between: "tengo 15 años y medio de experiencia", "ya de enfermera", "que trabajo".
    "atwork": (
        r"(?:(?:(?! (?:y|pero) (?!medio|pico|\d))[^.!?\n]){0,25} (?<!nada )(?<!poca )(?<!anos )de <work>"
        r"| (?:ya |ahora |y medio |y \d{1,2} meses |por aqui )(?:de (?!edad)|como\b|trabaj)"
        r"| que (?:trabaj|llevo|ejerzo|estoy|vivo|soy|me dedic)"
        r"|,? (?:en (?:la|el) mism|trabaj|ejerc|dedicad|como (?:enfermer|medic|profes|docente|auxiliar)))"
    ),
    "half": r"(?: y medio)?",
    "stop": (
        r"(?: ?(?:$|[,;!?)\]\"]|\n(?!<counted>)|\.(?!\d)|- |:(?! ?\d)|<3(?!\d)|=\)|[^\w\s.,;:!?'\"()/%+°€$£&#@*=<>-])"
        r"|[*_\"]{0,3}(?: ?$| ?[.,!?;])"
        r"| (?:y|e|pero|asi|entonces|porque|por|soy|vivo|me|mi|mis|no|puedo|quiero|quisiera|ahora|hoy|todavia|aun"
        r"|recien"
        r"|cumplidos(?! de)|ya|estudio|estoy|aunque|segun|jaja|de edad|si|xd|voy|necesito|que|gracias|pues|ni"
        r"|actualmente)\b)"
    ),
    "end": r"<half>(?:<years>|(?<=\d)a\b)(?=<stop>)(?! (?:o|y) (?:mas|pico|contando)\b)(?!<atwork>)",
    "or": r"(?: ?(?:o|u|/|-|a) ?<m>)?",
    "who": (
        r"(?:mi|nuestr[oa]|mis|nuestr[oa]s) (?:(?:propi[oa]|pequen[oa]|hij[oa]|herman[oa]) )?(?:hij[oa]s?|nin[oa]s?"
        r"|herman[oa]s?|herman(?:ito|ita)|sobrin[oa]s?|niet[oa]s?|bebe|pequen[oa]|hijastr[oa]|hermanastr[oa]"
        r"|ahijad[oa])\b"
        r"(?: (?:pequen[oa]|menor|mayor|de acogida|adoptiv[oa]))?"
    ),
    "kid": r"(?:hij[oa]s?|nin[oa]s?|bebe|sobrin[oa]|niet[oa]|herman[oa]|gemel[oa]s|melliz[oa]s)\b(?: pequen[oa])?",
    "pupil": r"(?:mis?|nuestr[oa]s?) (?:alumn[oa]s?|estudiantes?)\b",
    "person": (
        r"(?:chic[oa]|nin[oa]|joven|estudiante|alumn[oa]|muchach[oa]|chaval[a]?|adolescente|mujer|hombre|persona"
        r"|voluntari[oa]|escolar|chav[oa]|nen[ea]|pib[ea]|colegial[a]?)"
    ),
    "lately": (
        r"(?:hoy|ayer|anteayer|la semana pasada|el mes pasado|esta semana|este mes|hace (?:poco|unos dias|dos dias"
        r"|una semana))\b"
    ),
    "course": r"(?:<n>(?: ?\.? ?[oº°]\b)?|<n>)",
}

RULES = (
    Rule("tengo", r"<ihave><mild><n><or><end>"),
    Rule(
        "tengo-open",
        r"<ihave><mild><n><half><years>(?!<atwork>) (?!<counted>|<stop>|[ou] mas|y pico"
        r"|desde|siendo|haciendo|ejerciendo|dedicad"
        r"|casad|a mis|menos|cotizados|cumplidos de|pasados)(?=[a-z])",
        strength="W",
        hedged=True,
        least=8,
    ),
    Rule(
        "tengo-bare",
        r"<ihave><mild><n>(?P<bare>)(?=(?: ?(?:$|[.,!?;)\n])| y (?:soy|vivo|me|no|quiero|puedo|estudio|voy)\b))",
        strength="W",
        hedged=True,
    ),
    Rule(
        "nombre-edad",
        r"(?<!\w)(?:me llamo|mi nombre es) \w{2,20}(?: \w{2,20})?(?:,| y)(?: tengo)? <n><years>(?=<stop>)"
        # The years may be those at work: "Me llamo Ana, 15 años, como enfermera".
        r"(?!,? (?:como|en (?:el|la)|trabaj|ejerc|dedicad|desde))",
    ),
    Rule("mi-edad", r"\bmi edad(?: es(?: de)?| ?[:=-])? ?<n><years>?(?=<stop>)"),
    Rule(
        "soy-un",
        r"(?<!\bno )(?<!\w)soy(?: solo| todavia)? (?:un|una) <person> (?:de (?:secundaria|bachillerato|instituto"
        r"|prepa(?:ratoria)?|la eso) )?(?:(?!hij|nin|madre|padre)\w{1,20} )?de <n><years>(?!-)(?! de <work>)",
    ),
    Rule(
        "soy-un-bare",
        r"(?<!\bno )(?<!\w)soy(?: solo| todavia)? una? (?:chic[oa]|nin[oa]|chaval[a]?|chav[oa]|adolescente|muchach[oa]"
        r"|joven) de <n>(?=<stop>)",
        least=11,
    ),
    # May be the years at work: "soy enfermera, 15 años".
    Rule("soy-edad", r"(?<!\bno )(?<!\w)soy \w{2,20}(?:, ?| ?\()<m><years>\)?(?=<stop>)", strength="W"),
    Rule(
        "falta-para",
        r"(?<!\w)me faltan? (?:\w{1,12} ){1,3}para (?:cumplir|tener)(?: los)? <n>(?:<aged>|(?=<stop>))",
        reads="below",
    ),
    # The verb after it tells whose age it is, and that it is so now.
    Rule(
        "al-tener",
        r"(?<!\w)(?:al tener|teniendo)<mild><n><years>,? (?:(?:no|todavia no|aun no) )?(?:necesito|puedo|tengo|debo"
        r"|quiero|estoy|se)\b",
    ),
    Rule(
        "menor",
        r"(?<!\bno )(?<!\w)(?:soy|al ser|siendo)(?: todavia| aun)? menor(?: de edad\b|(?= ?(?:$|[.,;!?\n)]))"
        r"|(?= (?:y|pero|asi|por"
        r"|porque)\b))",
        reads="fixed",
        ages=(0, 17),
    ),
    Rule(
        "menor-de",
        r"(?<!\bno )(?<!\w)(?:soy menor de|<ihave> menos de) (?:los )?<n>(?:<aged>|(?= ?(?:$|[.,;!?\n)])))",
        reads="below",
    ),
    Rule("no-mayor", r"(?<!\w)no soy(?: todavia| aun)? mayor de edad\b", reads="fixed", ages=(0, 17)),
    Rule(
        "aun-no",
        r"(?<!\w)(?:aun|todavia) no (?:tengo|cumplo|he cumplido)(?: los)? <n>(?:<aged>|(?=<stop>))",
        reads="below",
    ),
    Rule("no-hasta", r"(?<!\w)no (?:cumplo|cumplire|tendre|tengo)(?: los)? <n><years>? hasta\b", reads="below"),
    Rule("aun-no-after", r"(?<!\w)no (?:tengo|he cumplido)(?: los)? <n><aged>? (?:aun|todavia)\b", reads="below"),
    Rule("cumplo-hoy", r"(?<!\w)hoy cumplo(?: los)? <n>(?:<aged>|(?=<stop>))"),
    Rule(
        "cumplo",
        r"(?<!\bhoy )(?<!\w)(?:(?:pronto )?(?:cumplo|cumplire|tendre|voy a (?:cumplir|tener))"
        r"|(?:estoy )?a punto de cumplir|casi tengo|tengo casi)(?: los)? <n>(?:<aged>|(?=<stop>| (?:el|en|la|dentro"
        r"|pronto|manana)\b))",
        reads="turning",
    ),
    Rule(
        "en-anos-tendre",
        r"(?<!\w)(?:en|dentro de) <k> anos (?:tendre|cumplire|cumplo)(?: los)? <n>(?:<aged>|(?=<stop>))",
        reads="turning",
    ),
    Rule(
        "acabo-de",
        r"(?<!\w)(?:acabo de cumplir|recien cumpli|(?:ayer|hoy|anteayer|la semana pasada|hace poco"
        r"|el mes pasado) (?:he cumplido|cumpli))(?: los)? <n>(?:<aged>|(?=<stop>))",
    ),
    Rule(
        "cumpli", r"(?<!\w)(?<!cuando )(?:cumpli|he cumplido)(?: los)? <n><years>? <lately>(?! (?:en|como|de|trabaj))"
    ),
    Rule("naci", r"(?<!\w)naci <place>(?:(?:en|el) )?<date>", reads="born"),
    Rule(
        "eso",
        r"(?<!\w)(?:estoy en|voy a|curso|estudio|soy alumn[oa] de"
        r"|hago) (?:el )?<course>\.? ?(?:curso )?(?:de )?(?:la )?e\.?s\.?o\b",
        strength="W",
        reads="grade",
        shift=11,
    ),
    Rule(
        "eso-any",
        r"(?<!\w)(?:estoy en|curso|estudio|voy a) (?:la )?(?:eso\b(?! \w)|secundaria\b)",
        strength="W",
        reads="fixed",
        ages=(12, 16),
    ),
    Rule(
        "bachillerato",
        r"(?<!\w)(?:estoy en|voy a|curso|estudio|soy alumn[oa] de"
        r"|hago) (?:el )?<course>\.? ?(?:curso )?(?:de )?bach(?:illerato|iller)?\b",
        strength="W",
        reads="grade",
        shift=15,
    ),
    Rule(
        "bachillerato-any",
        r"(?<!\w)(?:estoy en|curso|estudio|hago) (?:el )?bachillerato\b",
        strength="W",
        reads="fixed",
        ages=(16, 18),
    ),
    Rule(
        "primaria",
        r"(?<!\w)(?:estoy en|voy a|curso|soy alumn[oa] de) (?:el )?<course>\.? ?(?:curso )?de primaria\b",
        strength="W",
        reads="grade",
        shift=5,
    ),
    Rule(
        "secundaria",
        r"(?<!\w)(?:estoy en|voy (?:en|a)|curso|soy alumn[oa] de) (?:el )?<course>\.? ?(?:grado |ano |curso )?de"
        r" secundaria\b",
        strength="W",
        reads="grade",
        shift=11,
    ),
    Rule("primaria-any", r"(?<!\w)estoy en (?:la )?primaria\b", strength="W", reads="fixed", ages=(6, 12)),
    Rule(
        "fragment",
        r"(?:^|[\n] ?)(?:como (?:una? )?)?<person> de <n><years>(?=,| y\b)(?=[^.!?\n]{0,60}\b(?:me|mi|soy|quiero)\b)",
        strength="W",
    ),
    Rule(
        "con-anos",
        r"(?<!\w)(?:con|a mis) <n><years>,? (?:(?:todavia|aun) )?(?:me|no|quiero|puedo|soy|estoy|tengo"
        r"|ya)\b(?! (?:fui|hice|dejaron"
        r"|dieron|daba|iba))(?=[^.!?\n]{0,40})(?! me \w{1,20}(?:aba|ia|eron)\b)",
        strength="W",
    ),
    Rule("entre", r"<ihave> entre <n> y <m><years>", hedged=True),
    Rule(
        "hasta",
        r"(?<!\w)(?:hasta que (?:cumpla|tenga)|cuando (?:tenga|cumpla)|antes de (?:cumplir|tener)|hasta (?:cumplir"
        r"|tener))(?: los)? <n>(?:<years>|(?=<stop>))",
        strength="W",
        reads="below",
        hedged=True,
    ),
    Rule(
        "hijo-tiene",
        r"(?<!\w)<who>,?(?: que)? (?:tienen?|cumplen?|acaban? de cumplir)<mild><n><years>(?=<stop>)",
        about="other",
    ),
    Rule("hijo-de", r"(?<!\w)<who>(?:,? (?:\(|de |de solo )?)?<n><years>", about="other"),
    Rule(
        "hijo-meses",
        r"(?<!\w)<who>,?(?: que)? tiene<mild><n> (?:mes|meses|semanas|dias)\b",
        about="other",
        reads="months",
    ),
    Rule(
        "tengo-hijo",
        r"(?<!\w)(?:tengo|tenemos) (?:un|una|dos|tres) <kid> de <n>(?:(?: y | e |, )<m>)?<years>",
        about="other",
    ),
    Rule(
        "padre-de",
        r"(?<!\w)(?:soy|como) (?:la madre|el padre|el tutor|la tutora|madre|padre|mama|papa)"
        r" de (?:(?:una?|dos|unos|unas"
        r"|mis) )?(?:<kid>|<person>) de <n><years>",
        about="other",
    ),
    Rule("hijo-cumplio", r"(?<!\w)<who> (?:cumplio|ha cumplido)(?: los)? <n><years>? <lately>", about="other"),
    Rule(
        "alumno",
        r"(?<!\w)<pupil>,?(?:(?: que)? tienen?<mild>| de )<n>(?: (?:y|e|a|o) <m>)?<years>(?! de\b)",
        about="other",
    ),
    Rule("hijo-nacio", r"(?<!\w)<who> nacio <place>(?:(?:en|el) )?<date>", about="other", reads="born"),
    Rule(
        "hijo-luego", r"(?<!\w)<who>[^.!?\n]{0,60}[.!?\n] ?(?:el |ella )?tiene<mild><n><years>(?=<stop>)", about="other"
    ),
    Rule(
        "hijo-uso",
        r"(?<!\w)<who> (?:ha )?(?:uso|usado|usa|utilizo|utilizado|utiliza|creo|creado|abrio|abierto|hizo|hecho"
        r"|se registro|se inscribio|registrado)\b",
        about="other",
        reads="unknown",
    ),
)

_OPENERS = (
    "tengo|tngo|soy<>|edad|cumpl|tendre|casi|punto|voy|naci|estoy|curso|estudio|hago|sigo|tenemos|tener|teni|tenga"
    "|me llamo|mi nombre"
)
_KIN = ("mi<>", "mis<>", "nuestro<>", "nuestra<>", "nuestros<>", "nuestras<>")
SPANISH = Language(
    code="es",
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    numbers=NUMBERS,
    pieces=PIECES,
    rules=RULES,
    unreal_before=(
        r"(?:imagina|imagine|imaginen|imaginad|imaginemos|supon|supongamos|supongan|suponga|digamos|como si|parece"
        r"|finge|finjamos|pongamos|en (?:la novela|la historia|el juego|mi sueno),?)(?: que)?"
    ),
    hedge_before=(
        r"si|cuando|hasta que|antes de que|aunque no"
        r"|(?:dije|digo|decia|puse|escribi|conte|indique|cree|creen|piensa|piensan|dijeron)(?: \w{1,20}){0,3} que"
    ),
    own_words=r"(?:puse|escribi|dije|conteste|indique|respondi|marque)",
    child_uses=r"cuenta|regist|inscri|us[oa]|utiliz|cre[oa]\b|abrio|curso|pagina|perfil|entr[oa]\b|correo",
    openers=tuple(_OPENERS.split("|")),
    units=("ano", "an~", "ani", "ans<>", "ao"),
    pairs=(
        (("soy<>", "ser<>", "siendo<>"), ("menor", "mayor")),
        (("estoy", "voy", "curso", "estudio", "hago", "soy"), ("eso<>", "e.s.o", "bach", "primaria", "secundaria")),
    ),
    kin=_KIN,
    kin_pairs=((_KIN, ("usa", "uso", "utiliz", "crea", "creo", "abri", "abier", "hizo", "hecho", "regist", "inscri")),),
)
