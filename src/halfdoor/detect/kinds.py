"""An ask's words → its task: a table of marks with weights, read in one pass, nothing trained.

Every mark that stands in the ask adds its weight once; the heaviest task wins, and of equal ones
the first in `Task`. How well that does is measured: docs/reference/task-types.md.
"""

from collections.abc import Iterator
from typing import Final

import re2

from halfdoor.canon.asks import Task

# An ask whose marks weigh less says nothing that is known.
_LEAST: Final = 2
_SHORT_CHARS: Final = 60
_LINES_OF_A_LOG: Final = 3

# German letters as ASCII, so that a word's end is one for every word.
_PLAIN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "\u2019": "'"})

# What may stand before an imperative.
_POLITE: Final = (
    r"(?:(?:please|bitte|pls|can you|could you|would you|kannst du|koenntest du|could we|can we|"
    r"i want you to|i need you to|i would like you to|let's|let us|now|ok|okay|and|then|also|just|"
    r"jetzt|nun|dann|und|auch|noch|mir|mal|hey|so|yes|yep|ja|sure|go ahead|first|next|zuerst|"
    r"step \d+(?: of \d+)?|leg|looks good|try to|help me(?: to)?|another agent)[\s,:.!-]+)*"
)
_LANGUAGES: Final = (
    r"(?:python|rust|go|golang|java|kotlin|typescript|javascript|ts|js|c\+\+|c#|c|swift|ruby|php|"
    r"scala|sql|bash|dart|elixir|haskell|async)"
)
_MAKE: Final = r"(?:write|add|create|generate|need|schreib\w*|ergaenz\w*|erstell\w*|build|fueg\w*)"


def _mark(task: Task, weight: int, pattern: str) -> tuple[Task, int, str]:
    """pattern: alternatives, over several lines."""
    return task, weight, "|".join(filter(None, map(str.strip, pattern.splitlines())))


def _verbs(task: Task, first: int, later: int, words: str) -> Iterator[tuple[Task, int, str]]:
    """Imperatives: weight `first` where the ask begins with one, `later` where a clause does."""
    words = _mark(task, first, words)[2]
    yield task, first, rf"^\W*{_POLITE}(?:{words})\b"
    yield task, later, rf"(?:[.!?:;\n,]\s*|\b(?:and|und|then|dann)\s+){_POLITE}(?:{words})\b"


_MARKS: Final[tuple[tuple[Task, int, str], ...]] = (
    _mark(Task.TITLE, 12, r"""
        \b(?:suggest|give|gib|write|generate|find)\b.{0,60}\b(?:title|titel|headline)\b
    """),
    _mark(Task.TITLE, 12, r"""
        \b(?:title|name) for (?:this|the|a) (?:conversation|chat|session|thread)
    """),
    (Task.TITLE, 14, r"reply with a title"),
    *_verbs(Task.SUMMARY, 8, 3, r"""
        summari[sz]e|sum up|condense|tl;?dr|zusammenfass\w*
    """),
    (Task.SUMMARY, 9, r"\bfass\w*\b.{0,80}\bzusammen\b"),
    (Task.SUMMARY, 14, r"detailed summary of (?:the|our|this) conversation|context checkpoint"),
    (Task.SUMMARY, 4, r"\bzusammenfassung\b|\bsummary of\b"),
    *_verbs(Task.COMMIT, 10, 8, r"""
        commit|committe
    """),
    (Task.COMMIT, 12, r"\bcommit[ -]?(?:message|msg|nachricht|text)"),
    _mark(Task.COMMIT, 12, r"""
        \b(?:pull request|merge request|pr) (?:description|title|text|beschreibung)
    """),
    (Task.COMMIT, 9, r"\brelease notes\b|\bchangelog\b|\baenderungsprotokoll\b"),
    _mark(Task.COMMIT, 9, r"""
        \bopen an? (?:pull request|pr|merge request)\b|\bcommitte? (?:das|this|it|them)\b
    """),
    _mark(Task.CONVERT, 14, rf"""
        \b(?:port|convert|translate|rewrite|migrate)\b.{{0,80}}\b(?:to|in|into) {_LANGUAGES}\b
        \b(?:uebersetz\w*|portier\w*|konvertier\w*)\b.{{0,80}}\b(?:in|nach) {_LANGUAGES}\b
    """),
    _mark(Task.TEST, 9, rf"""
        \b{_MAKE} (?:\S+ ){{0,4}}?(?:unit[- ]?|integration[- ]?)?(?:tests?|specs?)\b
    """),
    _mark(Task.TEST, 8, r"""
        \b(?:unit|integration|jest|table[- ]driven|more|end-to-end|e2e|regression) ?-?tests?\b
    """),
    _mark(Task.TEST, 7, r"""
        \b(?:tests?|specs?) (?:for|fuer|to|zu)\b|\btests? (?:\S+ ){0,4}ergaenzen\b
    """),
    (Task.TEST, 6, r"\b(?:test )?coverage\b|\btestabdeckung\b"),
    *_verbs(Task.TEST, 7, 4, r"""
        cover|test|tests|teste
    """),
    *_verbs(Task.DOCUMENT, 9, 6, r"""
        document|dokumentier\w*
    """),
    _mark(Task.DOCUMENT, 8, r"""
        \bdoc ?-?strings?\b|\bjsdoc\b|\bjavadoc\b|\byard\b|\brustdoc\b|\bdoc comments?\b
    """),
    _mark(Task.DOCUMENT, 6, r"""
        \breadme\b|\busage examples\b|\banleitung\b|\btutorial\b|\buser guide\b
    """),
    (Task.DOCUMENT, 4, r"\bdoku(?:mentation)?\b|\bdocumentation\b|\bdocs\b"),
    (Task.DOCUMENT, 6, rf"\b(?:{_MAKE}|explain in)\b.{{0,30}}\b(?:comments?|kommentare?)\b"),
    _mark(Task.LOG, 5, r"""
        \b(?:the|this|an?|attached|server|git|das|dieses|ein) log\b|\blogs\b
        \blog-?(?:file|datei)\b|\bprotokoll\b
    """),
    _mark(Task.LOG, 6, r"""
        \b(?:extract|parse|count|list)\b.{0,60}\b(?:output|log|lines?|timestamps?)\b
        \b(?:extract|parse|count|list)\b.{0,60}\b(?:error codes?|warnings?)\b
        \b(?:werte|zaehl\w*|liste)\b.{0,60}\b(?:log|ausgabe|zeilen?|fehler)\b
    """),
    (Task.LOG, 4, r"\b(?:build|job|test|console) output\b|\boutput of\b"),
    *_verbs(Task.REVIEW, 7, 3, r"""
        review|audit|pruefe?|check|double-?check|verify|look over|inspect|sieh dir|schau dir
        ueberpruef\w*|begutacht\w*
    """),
    (Task.REVIEW, 4, r"\breview\b"),
    _mark(Task.REVIEW, 6, r"""
        \bsecurity (?:review|audit|holes?|issues?)\b|\bsicherheits\w+|\binjection\b
        \bvulnerab\w+
    """),
    _mark(Task.REVIEW, 3, r"""
        \b(?:my|the|meine|current) (?:\S+ )?(?:changes|diff|pr|branch|aenderungen)\b
    """),
    _mark(Task.REVIEW, 5, r"""
        \banything (?:risky|wrong|i (?:have )?miss(?:ed)?)|\bauf fehler\b
        \bfor (?:bugs|mistakes)\b
    """),
    _mark(Task.REVIEW, 7, r"""
        \bare you sure\b|\bbist du sicher\b|\bacceptance criteria\b|\buebersehe ich\b
    """),
    (Task.REVIEW, 4, r"\bmerge request\b|\bden pr\b"),
    (Task.REVIEW, 7, r"\b(?:second|another) pair of eyes\b|\bby severity\b|\bbefore i merge\b"),
    *_verbs(Task.DESIGN, 8, 3, r"""
        design|propose|plan|think about|entwirf|entwerfe|ueberleg\w*|sketch|brainstorm
    """),
    (Task.DESIGN, 6, r"\barchitektur\b|\barchitecture\b"),
    _mark(Task.DESIGN, 7, r"""
        \b(?:make|write(?: down)?|draft|just) (?:up )?(?:a|the) plan\b|\berst ein plan\b
        \bplan for\b
    """),
    (Task.DESIGN, 9, r"\b(?:do not|don't|no|noch kein\w*) (?:write )?(?:any )?code\b"),
    _mark(Task.DESIGN, 8, r"""
        \bpros and cons\b|\bwas spricht\b|\btrade-?offs?\b|\balternatives\b|\bjust advice\b
    """),
    (Task.DESIGN, 6, r"\boptions\b|\bwould you recommend\b|\bwuerdest du empfehlen\b"),
    _mark(Task.DESIGN, 10, r"""
        \bhow (?:would|should|could) (?:you|i|we) (?:\S+ )?(?:structure|organi[sz]e|design|build)\b
        \bhow (?:would|should|could) (?:you|i|we) (?:\S+ )?(?:approach|split|model)\b
        \bwie wuerdest du\b|\bwie sollen? (?:wir|ich)\b
    """),
    _mark(Task.DESIGN, 7, r"""
        \bshould we (?:use|go|move|choose|take)\b|\bsollen? wir\b|\bpasst hier besser\b
    """),
    *_verbs(Task.REFACTOR, 9, 5, r"""
        refactor\w*|rename
        extract (?:the|an?|all) .{0,60}(?:code|class|function|method|interface|logic|component|into)
        split|move|clean up|tidy(?: up)?|simplify|inline|reorgani[sz]e|benenn\w*|raeum\w*
        vereinfach\w*|replace|restructure|dedup\w*|umbenennen|aufraeumen|lager\w* .{0,40}aus
        use (?:an? )?\S+ instead|turn .{0,60} into|extrahier\w*|ersetz\w*
    """),
    _mark(Task.REFACTOR, 8, r"""
        \bno functional changes?\b|\bbehaviou?r must not\b|\bohne (?:das )?verhalten\b
        \bwithout changing (?:the )?behaviou?r\b
    """),
    _mark(Task.REFACTOR, 4, r"""
        \binstead of\b|\bduplicat\w*|\brepetitive\b|\b(?:dead|toten) code\b
        \binto (?:its|their) own\b|\baufteilen\b|\bget rid of the dup|\bfake it\b
    """),
    *_verbs(Task.FIX, 9, 5, r"""
        fix|repair|solve|resolve|debug|behebe?|reparier\w*|mend|correct|troubleshoot
        korrigier\w*|loese?
    """),
    _mark(Task.FIX, 6, r"""
        \bbehebe?n?\b|\breparieren\b|\brepair (?:it|this)\b|\bfix (?:it|this)\b
    """),
    _mark(Task.FIX, 5, r"""
        \btraceback \(most|\berror\[e\d+|\bexception\b|\b\w+error\b|\bsegfault\b|\bcrash\w*
        \bnullpointer
    """),
    _mark(Task.FIX, 4, r"""
        \bbugs?\b|\bbroken?\b|\bbroke\b|\bfails?\b|\bfailing\b|\bfailed\b|\bregression\b
        \boff by one\b|\brace\b|\bfehler\b|\bstuerzt\b|\bkaputt\b|\bschlaegt fehl\b|\berrors?\b
    """),
    _mark(Task.FIX, 5, r"""
        \bdoes nothing\b|\bdoes(?: no|n')t work\b|\bnot working\b|\bgeht (?:\S+ )*nicht\b
        \bfunktioniert nicht\b|\bno longer\b|\bstill (?:red|fails|broken|wrong|the same)\b
        \bnicht erkannt\b|\bfehlen\b
    """),
    _mark(Task.FIX, 3, r"""
        \bwrong\b|\bfalsch\b|\bmissing\b|\btwice\b|\bdoppelt\b|\bdouble\b|\b500\b|\bverliert\b
        \bloses\b|\braises\b|\bthrows\b|\bcannot\b|\bcan't\b|\bnever\b|\bnicht mehr\b
        \bcomplains\b|\bred\b
    """),
    (Task.FIX, 5, r"\bmake (?:it|them) (?:pass|green|work|tolerate)\b"),
    _mark(Task.BOILERPLATE, 9, r"""
        \bscaffold\w*\b|\bskeleton\b|\bboilerplate\b|\bgrundgeruest\b|\bgeruest\b
    """),
    _mark(Task.BOILERPLATE, 7, r"""
        \bdockerfile\b|\bdocker-compose\b|\bmakefile\b|\.gitignore\b|\bgithub actions\b
        \bgitlab-ci\b|\bpyproject\.toml\b|\beslint\b|\btsconfig\b|\bcreate table\b
    """),
    _mark(Task.BOILERPLATE, 5, r"""
        \b(?:create|add|generate|erstelle?|write) (?:an? )?(?:dockerfile|makefile|\.gitignore)\b
    """),
    (Task.BOILERPLATE, 9, r"\bgetters?\b.{0,10}\bsetters?\b|\bequals and hashcode\b"),
    _mark(Task.BOILERPLATE, 8, r"""
        \b(?:empty|bare|minimal|blank|new)\b (?:\S+ ){0,3}?(?:project|package|app|page)\b
        \b(?:empty|bare|minimal|blank|new)\b (?:\S+ ){0,3}?(?:screen|module|skeleton)\b
        \b(?:leeres?|neues?|neue)\b (?:\S+ ){0,3}?(?:paket|projekt|anwendung|seite)\b
    """),
    *_verbs(Task.OPERATE, 8, 3, r"""
        run|execute|start|install|deploy|push|pull|rebase|merge|git|kill|stop|restart|bump|tag
        switch|fuehre?|starte?|installier\w*|stoppe?|npm|docker|pip|upgrade
    """),
    (Task.OPERATE, 3, r"\bpush it\b|\bto (?:staging|production)\b|\bfuehre?\b.{0,60}\baus\b"),
    *_verbs(Task.EXPLAIN, 5, 3, r"""
        explain|erklaer\w*|describe|beschreib\w*|tell me|walk me|show me|find|search|locate|list
        map out|explore|look for|suche?|finde|zeig\w*|where|how|why|what|which|when|who|wie
        warum|weshalb|wieso|was|wo|wofuer|welche\w*|wer|wann|wozu
    """),
    *_verbs(Task.EXPLAIN, 4, 1, r"""
        is|are|does|do (?:we|you|i)|did|has|gibt es|ist|sind
    """),
    _mark(Task.EXPLAIN, 6, r"""
        \bdifference between\b|\bunterschied\b|\bbedeutet\b|\bentry points?\b|\bhow does\b
    """),
    (Task.EXPLAIN, 3, r"\?\s*$|\bwhat (?:is|does|happens)\b|\bwhy\b|\bwarum\b"),
    (Task.EXPLAIN, 2, r"\breport (?:the )?files?\b|\breturn file:line\b|\bhow\b|\bwhere\b"),
    *_verbs(Task.IMPLEMENT, 5, 3, r"""
        add|implement\w*|build|create|write|make|support|let|allow|show|introduce|fuege?|bau\w*
        erstelle?|erzeuge?|schreibe?|ergaenze?|i want|i need|ich brauche|ich moechte|we need
        generate|save|extend|erweiter\w*|enable|set up|erlaube?
    """),
    _mark(Task.IMPLEMENT, 5, r"""
        \bshould be able to\b|\bsoll(?:en)?\b.{0,80}\bkoennen\b|\bthe same for\b
        \bdas gleiche fuer\b
    """),
    _mark(Task.IMPLEMENT, 1, r"""
        \bendpoint\b|\bfeature\b|\bbutton\b|\bschalter\b|\bflag\b|\boption\b|\bcomponent\b
        \bfunktion\b
    """),
    _mark(Task.IMPLEMENT, 5, r"""
        \b(?:i|we) would like (?:the|a|our|it)\b|\brequirements:|\bhaetten? gern\b
    """),
    (Task.OTHER, 12, r"^\W*(?:who are you|what can you do|wer bist du|was kannst du)\b"),
)  # fmt: skip

# Whole asks that are talk, and those that only say: do what was asked before.
_TALK: Final = re2.compile(
    r"\W*(?:(?:hi|hello|hey|hallo|moin|servus|thanks?|thank you|thx|danke\w*|dir|super|great"
    r"|perfect|perfekt|cool|ok|okay|gut|passt(?: so)?|nice|well done|good job|that is all"
    r"|that's all|for today|vielen dank|there)\W*)+"
)
_ON: Final = re2.compile(
    r"\W*(?:(?:yes|yep|ja|jo|sure|ok|okay|please|bitte|genau|go on|go ahead|go|continue"
    r"|keep going|weiter|mach(?:e)?(?: das| es)?(?: weiter| so)?|do (?:it|that|so)|proceed|los|next"
    r"|carry on|resume|y)\W*)+"
)
_STAMPED: Final = re2.compile(
    r"(?m)^\W*(?:\d{4}-\d\d-\d\d[t ]|\d\d:\d\d(?::\d\d)?\b|(?:error|warn|warning|info|debug)\b[:\s]"
    r"|[a-z]?\d+ at \d\d:\d\d)"
)


def _marks() -> "re2.Set":
    options = re2.Options()
    options.max_mem = 64 * 1024 * 1024
    found = re2.Set.SearchSet(options)
    for _, _, pattern in _MARKS:
        found.Add(pattern)
    found.Compile()
    return found


_SET: Final = _marks()


def task_of(ask: str) -> Task | None:
    """The task of an ask; None when it only says to go on with what was asked before."""
    plain = ask.casefold().translate(_PLAIN)
    if len(plain) < _SHORT_CHARS:
        if _TALK.fullmatch(plain):
            return Task.OTHER
        if _ON.fullmatch(plain):
            return None
    weights = dict.fromkeys(Task, 0)
    for at in _SET.Match(plain) or ():
        task, weight, _ = _MARKS[at]
        weights[task] += weight
    if len(_STAMPED.findall(plain)) >= _LINES_OF_A_LOG:
        weights[Task.LOG] += 9
    heaviest = max(weights, key=weights.__getitem__)
    return heaviest if weights[heaviest] >= _LEAST else Task.OTHER
