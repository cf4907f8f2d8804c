"""How English says that somebody should write over a channel, or should not: the words of `advice`.

All in lower case. Repetitions are bounded, so that no text can keep a pattern busy.
"""

import re
from functools import cache

# What each channel is called, by its key.
NOUNS = {
    "email": r"(?:e-?mails?|newsletters?)",
    "sms": r"(?:sms(?:es)?|text messag(?:es?|ing))",
    "push": r"(?:(?:web |mobile |browser )?push (?:notifications?|messages?|messaging|alerts?"
    r"|reminders?|campaigns?)|push(?=[,.:;)]|$| and\b| or\b)|(?:(?<=use )|(?<=via )|(?<=mobile )"
    r"|(?<=send a )|(?<=by )|(?<=try ))push(?!-))",
    "in_app": r"(?:in-?app (?:messag(?:es?|ing)|notifications?|prompts?|banners?|surveys?|pop-?ups?"
    r"|notes?|offers?|cards?|modals?|nudges?|guides?)|in-?app(?=[,.:;)]|$| and\b| or\b))",
}
# Any form of its name: where none stands, there is nothing to look for.
ANY_FORM = {
    "email": re.compile(r"e-?mail|newsletter|subject"),
    "sms": re.compile(r"sms|\btext"),
    "push": re.compile(r"push"),
    "in_app": re.compile(r"in-?app"),
}
_VERBS = {"email": r"e-?mail", "sms": r"(?:text|sms)", "push": "", "in_app": ""}

# “the e-mail address”, “the e-mail they reported”, “an e-mail audit” are no messages to be sent.
NO_OTHER_THING = (
    r"(?! ?(?:address(?:es)?|preferences?|settings?|lists?|domains?|servers?|providers?|clients?"
    r"|accounts?|systems?|streams?|volume|frequency|reputation|deliverability|consent|permissions?"
    r"|unsubscribes?|complaints?|headers?|footers?|history|logs?|opens?|clicks?|metrics|engagement"
    r"|data|threads?|audits?|reviews?|checks?|tests?|reports?|analysis|counts?|opt-?(?:in|out)s?"
    r"|bounces?|failures?|errors?|bans?|programmes?|providers?|topics?|choices|options?"
    r"|that (?:triggered|caused|led|drove|prompted|made|went)"
    r"|suppressions?|authentication|rules?|filters?|compliance|hygiene|fatigue|infrastructure"
    r"|gateways?|warm-?ups?|status|flags?|fields?|templates? library|habits?"
    r"|confirmations? (?:page|setting)|(?:that )?(?:they|he|she|we|you|customers?|was|were|had)"
    r"|which|received|reported|already sent|in question)\b)"
)

_SENDING = (
    r"(?:send|write|draft|prepare|schedule|trigger|launch|queue|deliver|issue|compose|craft|use|try"
    r"|run|start|set up|switch to|move to|fall back (?:on|to)|rely on|follow up"
    r"|begin|open|lead|deploy|leverage|implement|create|include|employ|utili[sz]e|build|design"
    r"|develop|automate|segment|ship|pair|combine|merge|reach out|enrol+"
    r"|resend|keep sending|continue sending|continue|maintain|fire off"
    r"|(?:drop|shoot|add|move|switch|subscribe|opt) (?:them|him|her|the (?:customer|contact))"
    r"|sign them up|put them)"
)
_SAYING = (
    r"(?:contact|reach|get in touch|notify|inform|invite|ask|tell|share|announce|offer|explain"
    r"|apologi[sz]e|thank|respond|reply|answer|remind|approach|return|propose|communicate|engage"
    r"|nudge|alert|update|re-?engage|confirm|introduce|check in|continue|reconnect|win them back"
    r"|deliver|send|follow up|reach out|make (?:the|an|them an) offer|escalate|ping|message"
    r"|provide|reactivate|re-permission|survey|arrange|book|schedule|distribute|forward|put|present"
    r"|keep|stay in touch|touch base|let (?:them|him|her|the customer) know)"
)
# Words between a verb and its channel that make the channel a mere topic.
_GAP = (
    r"(?:(?! (?:about|that|which|who|whose|from|of|whether|if|after|before|because|when|how|what"
    r"|where|why|than|not|no|against|until|since|while|although|though|in response)\b)"
    r" [\w'/%-]+,?){0,7}?"
)
_NO_TURN = r"(?!(?:the|their|because|since|as|when|if|that|which|who|what|how|about|why)\b)"
_SOME = r"(?: (?!the\b|their\b|last\b)[\w'-]+){0,4}?"
_THEM = (
    r"(?:them|him|her|everyone|(?:the|this|that|each|every|your) (?:[\w-]+ ){0,2}?(?:customers?"
    r"|contacts?|clients?|users?|persons?|champions?|owners?|readers?|subscribers?|individuals?"
    r"|lead|decision-maker|buyer))"
)

_INTRODUCED = (
    r"(?:^|[,(] ?|\b(?:and|or|then|please|also|just|simply|instead|first|next|now|should|must|can"
    r"|could|may|might|will|let's|have \w+(?: \w+){0,4}|let \w+(?: \w+){0,3}|\w+ly) )"
)
_TOLD_TO = (
    r"\b(?:(?:ask|get|tell|allow|invite|prompt|remind|encourage|assign) [\w' -]{1,50}?|is|be|best"
    r"|better|wise|helpful|useful|worth|needs?|important|sensible|recommend(?:ed)?|remember|aim"
    r"|plan|prepare|sure|move|step|option|hesitate|forget) to "
)
_DOING = (
    r"\b(?:consider|try|recommend|suggest|propose|advise|worth"
    r"|(?:start|begin|open|follow up)(?: by| with)?) "
)
_GERUND = r"(?:sending|using|writing|drafting|scheduling|launching|running)"

_MUST = (
    r"\b(?:should|must|needs? to|ha(?:s|ve) to|ought to)"
    r" (?:\w+ly |also |then |first |now |always )?"
)
_QUICK = r"(?:(?:quick|short|brief|friendly|personal|single) ){0,2}"

# Behind a colon: what stands before it is not to be used.
SHUT = (
    r"(?:closed|off|out|no|not|none|never|avoid|do not|don't|stop|blocked|suppressed|unavailable"
    r"|forbidden|unsubscribed|opted out|gone)\b"
)

DESCRIBING = re.compile(
    r"(?:they|he|she|it(?!'s (?:worth|best|time)| is (?:worth|best|time))"
    r"|customers?|users?|people|many|most|some|companies|teams|competitors"
    r"|others|those|such|these|this|who|nobody|readers|buyers|sellers|senders|in most|when they"
    r"|(?:the|a|an|your|each|every) (?:[\w-]+ )?(?:customer|contact|client|user|reader|recipient)s?"
    r"|if they|because|since|although|while|where|too many|we found|studies|research)\b"
)
THEY_CAN = re.compile(
    r"\b(?:they|he|she|it|who|which|customers?|users?|people|readers?)"
    r" (?:can|could|may|might|will)\b[\w ]{0,12}$"
)
DEFINITE = re.compile(
    r"\b(?:use|open|try|start|begin|prefer|choose|run|lead|prepare|create|include|build)\b[^,;]*"
    r" (?:the|their|his|her) (?:[\w-]+ ){0,2}[\w-]+$"
)
DUTY = re.compile(r"\b(?:should|must|needs? to|ha(?:s|ve) to|ought to)\b")
AFTER_CONDITION = re.compile(
    r"^(?:if|when|where|since|because|although|while)\b[^,]*, ?(?:then )?$"
)

HARMLESS = re.compile(
    r"(?:(?:\bdo not |\bdon't |\bnever )?\bhesitate to|not only|not just"
    r"|(?:do not|don't|never) forget to"
    r"|(?:do not|don't) wait|(?:not|no) later than|(?:do not|don't) fail to|no matter|without delay"
    r"|without waiting|there is no (?:risk|harm) in|not (?:just|only)? ?a call but"
    r"|nothing (?:works |is )?(?:better than|beats)|no (?:other )?\w+ beats|one-off|fire off"
    r"|(?:replac\w+|swap) [\w' -]{1,40}? (?:by|with|for)"
    r"|(?:do not|don't) (?:just|only) \w+[:;,]|(?:drop|shoot) (?:them|him|her) (?:an?|one)"
    r"|^(?:if|when|where|unless|once|in case|should)\b[^,]{1,100},"
    r"|(?:instead of|rather than|without) [\w' -]{1,50}?,)"
)
FORBIDDING = re.compile(
    r"\b(?:not|never|no|nothing|none|nor|neither|avoid\w*|without|instead of|rather than"
    r"|other than|apart from|except|stop\w*|refrain\w*|ceas\w+|paus\w+|cancel\w*|halt\w*"
    r"|suppress\w*|forbid\w*|too|fewer|less|reduc\w+|limit\w*|tempt\w+|pointless|unlawful|illegal"
    r"|resist|replac\w+|remov\w+|exclud\w+|skip|drop|unless|worse|wrong|mistake|risk\w*|harm\w*"
    r"|ordinarily|normally|usually|withdraw\w*|block\w*|ban|disable|off|closed?|against|cannot"
    r"|hold back)\b|n't\b"
)
STRUCK_OUT = re.compile(
    r"^[^,]{0,40}\b(?:(?:is|are|was|were|stays?|remains?) (?:now |all )?(?:closed|off|out|not"
    r"|no longer|forbidden|off-limits|blocked|pointless|unlawful|wrong)|would (?:not|be|breach"
    r"|violate|annoy|make)|no longer|won't|will not|cannot|less often|backfires?|only makes)\b"
)
CONSENTED = re.compile(
    r"\b(?:if|where|when|once|only|unless|provided|as long as|after|until|who|wherever)\b.{0,70}?"
    r"\b(?:consent\w*|opt(?:s|ed)?(?: back)?[ -]?in\b|agree[sd]?|permitted|allow(?:s|ed)|permission"
    r"|wish(?:es)?|want(?:s|ed)?|prefers?|asks? for it|still open|re-?subscribe[sd]?|subscribed?"
    r" again|kept open|turn(?:s|ed)? (?:it|them) on)"
    r"|\b(?:ask|get|request|obtain|seek|need)\w*\b[^.;]{0,30}\b(?:permission|consent|approval)\b"
)
TRANSACTIONAL = re.compile(
    r"\b(?:transactional|invoices?|receipts?|legal(?:ly)?|contractual|statutory|security|password"
    r"|service notices?|incident notices?|billing notices?|required notices?)\b"
)
_OTHERS = (
    r"(?:account (?:manager|owner|executive|team)|customer success|csm|success manager|team"
    r"|colleagues?|support|sales|marketing|engineer\w*|finance|legal|security|procurement|product"
    r" (?:team|manage\w+)"
    r"|admin\w*|manager|sponsor|successor|stakeholders|everybody else|vendor|provider|executive"
    r"|(?:new|another|remaining|second|alternative|alternate|replacement|different)"
    r" (?:[\w-]+ )?(?:contact|person|user|owner|address)"
    r"|leadership|postmaster|it department|rest of|other)\b"
)
TO_OTHERS = re.compile(
    r"\b(?:to|e-?mail|text|notify|inform|alert|brief|update|contact|reach|with) "
    rf"(?:(?!to\b|from\b|by\b|that\b)[\w']+ ){{0,3}}?{_OTHERS}"
    rf"|\bsend (?:the |your |our )?{_OTHERS}"
    r"|\b(?:find|identify|locate|look for|ask [\w ]{1,20} for)\b[^.;]{0,40}\b(?:colleague|successor"
    r"|sponsor|stakeholder|replacement|(?:new|another|second|other) (?:[\w-]+ )?(?:champion|contact"
    r"|person|user|owner))\b"
)
INSIDE = re.compile(r"\binternal(?:ly)?\b|\beach other\b|\bamong yourselves\b")

ADVISING_HEADING = re.compile(
    r"\b(?:first|24|hours?|strateg|what to (?:do|say)|plan|steps?|actions?|recommend|channels?"
    r"|outreach|approach|tactics?|win|next|offer|message)"
)

# Channels as a table names them, each alone in its cell.
NAMES = {
    "email": re.compile(r"(?:marketing )?(?:e-?mails?|newsletters?)"),
    "sms": re.compile(r"(?:sms|texts?|text messages?)(?: messages?)?"),
    "push": re.compile(r"(?:web |mobile |browser )?push(?: (?:notifications?|messages?|alerts?))?"),
    "in_app": re.compile(r"in-?app(?: (?:messages?|notifications?|prompts?|banners?))?"),
}
ANY_NAME = (*NAMES.values(), re.compile(r"(?:phone|telephone|video|direct)?(?: ?calls?)?|letters?"))
BETWEEN_NAMES = re.compile(r" ?[/,+&] ?| (?:and|or|then) ")
IN_BRACKETS = re.compile(r" ?\([^()]{0,80}\)")


@cache
def patterns(key: str) -> list[re.Pattern[str]]:
    """How advice to use this channel is worded, in lower case."""
    noun = rf"{NOUNS[key]}\b{NO_OTHER_THING}"
    over = rf"(?:by|via|through|over|using|with|in|as|on)(?: {_NO_TURN}[\w-]+){{0,3}}? {noun}"
    written = [
        rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SENDING}\b{_GAP} (?:\d+-)?{noun}",
        rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SAYING}\b{_GAP} {over}",
        rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SAYING}\b{_GAP} ?\((?:[\w-]+(?:,| or| and)+ )*{noun}\)",
        rf"\b(?:owner|manager|executive|csm|ceo|founder|specialist|lead) (?:then |\w+ly )?"
        rf"(?:sends|writes|drafts|prepares) (?:them )?(?:an?|one)\b{_SOME} {noun}",
        rf"{_DOING}{_GERUND}{_GAP} {noun}",
        rf"{_DOING}(?:an? )?(?:[\w-]+ ){{0,2}}?{noun}(?=[,.:]|$| (?:to|with|that|at|for|from)\b)",
        rf"(?:^|\ban?|\bone)(?: (?:[\w-]+)){{0,3}}? ?{noun}(?: [\w-]+){{0,3}}? (?:should|must|can"
        r"|could|may) (?:then |also |still |now )?(?:be (?:sent|used|tried|drafted|scheduled)"
        r"|go out|follow)\b",
        rf"^(?:in|with|by|via|through|over)(?: (?!the\b)[\w-]+){{0,3}}? {noun}, "
        rf"(?:please )?(?:{_SENDING}|{_SAYING})\b",
        rf"^(?:or )?(?:by|via|through|over)(?: (?:an?|personal|short|direct))? {noun}"
        r"[^:]{0,90}:$",
        rf"\b(?:i|we)(?:'ll| will| shall| can| could) (?:then |also )?send you{_SOME} {noun}",
    ]
    written += _recommended(noun)
    written.append(rf"^let (?:them|him|her) know by {NOUNS[key]}\b")
    if key == "push":
        written.append(rf"{_INTRODUCED}push-notify\b")
    if key == "in_app":
        written.append(
            rf"{_INTRODUCED}(?:show|display|surface|add|place|present|put|highlight)\b{_GAP} {noun}"
        )
    if key == "sms":  # “a text” is a message only where it is sent
        written += [
            rf"(?:{_INTRODUCED}|{_TOLD_TO})send(?: {_THEM})?(?: (?:an?|one)){_SOME} text\b"
            r"(?=[,.:;]|$| (?:with|that|saying|once|when|if|within|after)\b)",
            rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SAYING}\b{_GAP} (?:by|via|over|through) text\b",
            rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SENDING}(?: {_THEM})?{_SOME} texts"
            r"(?=[,.:;]|$| (?:instead|with|to|when|if)\b)",
            rf"^an? {_QUICK}text (?:from|to|with|once|if|within)\b",
            rf"{_INTRODUCED}{_SENDING} an? {_QUICK}text\b(?! (?:of|about|from|for|on|in)\b)",
        ]
    if verb := _VERBS[key]:
        also = r"(?:(?:,| or| and)+ (?:call|phone|text|message|e-?mail|write to|ring|visit))*"
        written += [
            rf"(?:{_INTRODUCED}|{_TOLD_TO}){verb}{also} {_THEM}\b",
            rf"(?:^|\b(?:then|and|or) |, ){verb} (?:an?|one) ",
            rf"{_DOING}{verb}ing\b(?! (?:habits|behaviou?r))",
            rf"\b(?:i|we)(?:'ll| will| shall| can| could) (?:then |also )?{verb} you\b",
            rf"{_MUST}be {verb}(?:ed)\b",
            rf"^{verb} \w+, (?:the|their|your) ",
            rf"(?:^|\bthen |\b(?:call|phone|{verb}) (?:or|and) ){verb} (?:or|and) (?:call|phone"
            rf"|ring)\b",
            rf"^(?:{verb}|call|phone) (?:or|and) (?:{verb}|call|phone) (?:the|their|them|within"
            rf"|today)\b",
            rf"(?:^|\bthen |\b(?:reply|answer|response), ){verb}(?: it)?(?=\.?$)"
            if verb != _VERBS["email"]
            else rf"(?:\bthen |\b(?:reply|answer|response), ){verb}(?: it)?(?=\.?$)",
            rf"(?:, |^){verb} (?:second|next|third|afterwards|too)\b",
            rf"^{verb} (?:their|your|the) (?:[\w-]+ ){{0,2}}?(?:vp|cto|ceo|cfo|head|director"
            rf"|boss)\b",
        ]
    return [re.compile(words) for words in written]


def _recommended(noun: str) -> list[str]:
    """Advice without a verb of sending: what they should get, what is best, which channels."""
    best = (
        r"(?:best|better|right|fastest|ideal|preferred|strongest|good|great|most effective|worth"
        r"|recommended|safest|natural|obvious)"
    )
    names = r"(?:[\w-]+(?:,| and| or|,? ?[+/&]) ?(?:then )?)*"
    return [
        rf"{_MUST}(?:receive|get|be sent|see)(?: (?!the\b|no\b)[\w-]+){{0,4}}? {noun}",
        r"\b(?:make sure|ensure|see to it)(?: that)? (?:[\w']+ ){1,3}?(?:receives?|gets?)"
        rf"(?: (?!the\b|no\b)[\w-]+){{0,4}}? {noun}",
        rf"(?:^|\ban?|\bone)(?: [\w-]+){{0,3}}? ?{noun}(?: [\w-]+){{0,3}}? (?:should|must)"
        r" (?:go|come|reach|arrive|land|say|explain|acknowledge)\b",
        rf"^(?:(?:an?|one|sending) )?(?:[\w-]+ ){{0,3}}?{noun}(?: [\w-]+){{0,6}}? (?:is|are"
        rf"|remains?"
        rf"|would be) (?:still |often |probably )?(?:the |your |a )?(?:single )?{best}\b",
        rf"^(?:(?:an?|one) )?(?:[\w-]+ ){{0,2}}?{noun}(?: [\w-]+){{0,6}}? (?:works? (?:best|well)"
        r"|helps|recovers|wins)\b",
        rf"\b{best} (?:[\w-]+ ){{0,3}}?(?:is|would be|remains) (?:by |to send )?(?:an? )?"
        rf"(?:[\w-]+ ){{0,2}}?{noun}",
        r"\b(?:touch|step|move|contact|message|channel|choice) (?:should|must|could|would|will) be"
        rf" (?:by |via )?(?:an? )?(?:[\w-]+ ){{0,2}}?{noun}",
        rf"{_INTRODUCED}{_SENDING}\b{_GAP} ?\({names}{noun}",
        rf"{_INTRODUCED}(?:use|try|combine|run) (?:an? )?(?:mix|combination|blend|sequence|series)"
        rf" of {names}{noun}",
        rf"{_INTRODUCED}(?:use|try|combine|run) {names}{noun}",
        rf"{_INTRODUCED}put\b{_GAP} (?:in|into) (?:an?|one) {noun}",
        r"\b(?:nothing|no (?:other )?\w+) (?:\w+ )?(?:better than|beats) (?:an? )?(?:[\w-]+ ){0,2}?"
        rf"{noun}(?=[.,:;]|$)",
        rf"\bno (?:risk|harm) in (?:sending|writing){_GAP} {noun}",
        rf"{_INTRODUCED}(?:replace|swap)\b[^.;]{{1,40}}? (?:by|with|for) (?:an? )?{noun}",
        rf"{_INTRODUCED}(?:move|switch|shift) [\w' ]{{1,20}}?from [\w -]{{1,20}}? to (?:an?"
        rf" )?{noun}",
    ]


@cache
def step(key: str) -> re.Pattern[str]:
    """One step of a sequence, or the choice of a channel: “Day 1: email”, “Channel: SMS”."""
    noun = rf"{NOUNS[key]}\b{NO_OTHER_THING}"
    return re.compile(
        r"(?:^|[.;,(] ?)(?:(?:first|second|third|next|last|final|preferred|best|primary|main"
        r"|recommended"
        r"|secondary|suggested) )?(?:day|week|hour|month|step|touch(?:point)?|stage|phase|attempt"
        r"|channels?|medium|contact)(?: ?#?\d{1,3}(?:[-–]\d{1,3})?)?(?: ?\([^()]{0,20}\))?"
        rf" ?[:–—-] (?:send )?(?:(?:an?|by|via) )?(?:(?!no\b|not\b)[\w-]+,? ){{0,2}}?{noun}"
        r"(?! ?[(,:–—-]? ?(?:closed|off|not|no|never|do not|don't|blocked|forbidden|is|are|was"
        r"|has)\b)"
        rf"|[,;] ?then (?:an? |by )?(?:{_VERBS[key] or noun}|{noun})(?= ?[.,;]|$)"
        rf"|{noun}[,;] ?(?:but )?(?:send|write) (?:an? |only )?(?:[\w-]+ ){{0,2}}?one\b"
    )


@cache
def draft(key: str) -> re.Pattern[str]:
    """The text of a message, or its heading: “Email subject: …”, “SMS script”."""
    return re.compile(
        rf"^(?:(?:sample|suggested|draft|example|model) )?{NOUNS[key]}(?: (?:template|script"
        rf"|subject"
        r"(?: line)?|copy|draft|text)) ?: ?\S"
        rf"|^(?:(?:sample|suggested|draft|example) ){NOUNS[key]}\b"
        rf"|^{NOUNS[key]} (?:template|script|copy|draft)\b"
    )


@cache
def item(key: str) -> re.Pattern[str]:
    """A list item or a lead that only names the message: “A short e-mail from the owner.”"""
    noun = rf"{NOUNS[key]}\b{NO_OTHER_THING}"
    kind = (
        r"(?:short|personal(?:i[sz]ed)?|brief|plain|plain-text|follow-up|win-back|apology|goodbye"
        r"|one-line|single|direct|friendly|re-engagement|onboarding|targeted|founder|final|warm"
        r"|automated|triggered|weekly|monthly|educational|check-in|renewal|survey|nurture|drip"
        r"|quick|handwritten|value|thank-you) "
    )
    ends = (
        r"(?= ?(?:[.:,(]|$)| (?:from|with|to|offering|inviting|asking|within|after|signed|sent)\b)"
    )
    return re.compile(
        rf"^(?:(?:an?|one) (?:{kind}){{0,3}}|(?:{kind}){{1,3}}){noun}{ends}"
        r"(?!.*\b(?:is|was|are|were|has|had|caused|led|triggered)\b)"
        rf"|^(?:{kind})*(?:(?:personal|direct|proactive) )*"
        r"(?:outreach|follow-up|check-in|apology|note)"
        rf" (?:by|via|through|over)(?: an?)? (?:{kind})*{noun}{ends}"
        rf"|^(?:{kind}){{0,3}}{NOUNS[key]} (?:outreach|series|sequences?|campaigns?|reminders?"
        rf"|flows?"
        r"|drips?|follow[- ]?ups?|surveys?|nurtur\w+|touch(?:es)?|cadence)\b(?! (?:is|are|was"
        r"|were)\b)"
        rf"|^{noun}(?: ?\((?:day|week|hour|within|after)[^)]{{0,30}}\))? ?:(?: (?!{SHUT})|$)"
    )
