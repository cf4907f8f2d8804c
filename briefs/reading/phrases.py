"""How English says that somebody should write over a channel, or should not: the words of `advice`.

All in lower case. Repetitions are bounded, so that no text can keep a pattern busy.
"""

import re
from functools import cache

# What each channel is called, by its key.
NOUNS = {
    "email": r"(?:e-?mails?|newsletters?)",
    "sms": r"(?:sms(?:es)?|text messages?)",
    "push": r"(?:(?:web |mobile |browser )?push (?:notifications?|messages?|alerts?)"
    r"|push(?=[,.:;]|$))",
    "in_app": r"(?:in-?app (?:messages?|notifications?|prompts?|banners?|surveys?|pop-?ups?|notes?)"
    r"|in-?app(?=[,.:;]|$))",
}
_VERBS = {"email": r"e-?mail", "sms": r"(?:text|sms)", "push": "", "in_app": ""}

# “the e-mail address”, “the e-mail they reported”, “an e-mail audit” are no messages to be sent.
_NO_OTHER_THING = (
    r"(?! ?(?:address(?:es)?|preferences?|settings?|lists?|domains?|servers?|providers?|clients?"
    r"|accounts?|systems?|streams?|volume|frequency|reputation|deliverability|consent|permissions?"
    r"|unsubscribes?|complaints?|headers?|footers?|history|logs?|opens?|clicks?|metrics|engagement"
    r"|data|threads?|audits?|reviews?|checks?|tests?|reports?|analysis|counts?|opt-?(?:in|out)s?"
    r"|bounces?|failures?|errors?|bans?|programmes?|providers?|topics?|choices|options?"
    r"|that (?:triggered|caused|led|drove|prompted|made|went)"
    r"|confirmations? (?:page|setting)|(?:that )?(?:they|he|she|we|you|customers?|was|were|had)"
    r"|which|received|reported|already sent|in question)\b)"
)

_SENDING = (
    r"(?:send|write|draft|prepare|schedule|trigger|launch|queue|deliver|issue|compose|craft|use|try"
    r"|run|start|set up|switch to|move to|fall back (?:on|to)|rely on|follow up"
    r"|begin|open|lead|deploy|leverage|implement|create|include|employ|utili[sz]e|build|design"
    r"|develop|automate|segment|ship|pair|combine|merge|reach out|enrol+"
    r"|add (?:them|him|her|the customer)|sign them up|put them)"
)
_SAYING = (
    r"(?:contact|reach|get in touch|notify|inform|invite|ask|tell|share|announce|offer|explain"
    r"|apologi[sz]e|thank|respond|reply|answer|remind|approach|return|propose|communicate|engage"
    r"|nudge|alert|update|re-?engage|confirm|introduce|check in|continue|reconnect|win them back"
    r"|deliver|send|follow up|reach out|make the offer|escalate)"
)
# Words between a verb and its channel that make the channel a mere topic.
_GAP = (
    r"(?:(?! (?:about|that|which|who|whose|from|of|whether|if|after|before|because|when|how|what"
    r"|where|why|than|not|no|against|until|in response)\b) [\w'/%-]+,?){0,7}?"
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
    r"|without waiting|^(?:if|when|where|unless|once|in case|should)\b[^,]{1,100},"
    r"|(?:instead of|rather than|without) [\w' -]{1,50}?,)"
)
FORBIDDING = re.compile(
    r"\b(?:not|never|no|nothing|none|nor|neither|avoid\w*|without|instead of|rather than"
    r"|other than|apart from|except|stop\w*|refrain\w*|ceas\w+|paus\w+|cancel\w*|halt\w*"
    r"|suppress\w*|forbid\w*|too|fewer|less|reduc\w+|limit\w*|tempt\w+|pointless|unlawful|illegal"
    r"|resist|replac\w+|remov\w+|exclud\w+|skip|drop|unless|worse|wrong|mistake|risk\w*|harm\w*"
    r"|withdraw\w*|block\w*|ban|disable|off|closed?|against|cannot|hold back)\b|n't\b"
)
STRUCK_OUT = re.compile(
    r"^[^,]{0,40}\b(?:(?:is|are|was|were|stays?|remains?) (?:now |all )?(?:closed|off|out|not"
    r"|no longer|forbidden|off-limits|blocked|pointless|unlawful|wrong)|would (?:not|be|breach"
    r"|violate|annoy|make)|no longer|won't|will not|cannot|less often|backfires?|only makes)\b"
)
CONSENTED = re.compile(
    r"\b(?:if|where|when|once|only|unless|provided|as long as|after|until|who|wherever)\b.{0,70}?"
    r"\b(?:consent\w*|opt(?:s|ed)?(?: back)?[ -]?in\b|agree[sd]?|permitted|allow(?:s|ed)|permission"
    r"|still open|re-?subscribe[sd]?|subscribed? again|kept open|turn(?:s|ed)? (?:it|them) on)"
)
TRANSACTIONAL = re.compile(
    r"\b(?:transactional|invoices?|receipts?|legal(?:ly)?|contractual|statutory|security|password"
    r"|service notices?|incident notices?|billing notices?|required notices?)\b"
)
_OTHERS = (
    r"(?:account (?:manager|owner|executive|team)|customer success|csm|success manager|team"
    r"|colleagues?|support|sales|marketing|engineer\w*|finance|legal|security|procurement|product"
    r"|admin\w*|manager|sponsor|successor|stakeholders|everybody else|vendor|provider|executive"
    r"|(?:new|another|remaining|second|alternative|alternate|replacement|different)"
    r" (?:[\w-]+ )?(?:contact|person|user|owner|address)"
    r"|leadership|postmaster|it department|rest of|other)\b"
)
TO_OTHERS = re.compile(
    r"\b(?:to|e-?mail|text|notify|inform|alert|brief|update|contact|reach|with) "
    rf"(?:(?!to\b|from\b|by\b|that\b)[\w']+ ){{0,3}}?{_OTHERS}"
    rf"|\bsend (?:the |your |our )?{_OTHERS}"
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
    noun = rf"{NOUNS[key]}\b{_NO_OTHER_THING}"
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
    if key == "sms":  # “a text” is a message only where it is sent
        written += [
            rf"(?:{_INTRODUCED}|{_TOLD_TO})send(?: {_THEM})?(?: (?:an?|one)){_SOME} text\b"
            r"(?=[,.:;]|$| (?:with|that|saying|once|when|if|within|after)\b)",
            rf"(?:{_INTRODUCED}|{_TOLD_TO}){_SAYING}\b{_GAP} (?:by|via|over|through) text\b",
        ]
    if verb := _VERBS[key]:
        also = r"(?:(?:,| or| and)+ (?:call|phone|text|message|e-?mail|write to|ring|visit))*"
        written += [
            rf"(?:{_INTRODUCED}|{_TOLD_TO}){verb}{also} {_THEM}\b",
            rf"(?:^|\b(?:then|and|or) |, ){verb} (?:an?|one) ",
            rf"{_DOING}{verb}ing\b(?! (?:habits|behaviou?r))",
            rf"\b(?:i|we)(?:'ll| will| shall| can| could) (?:then |also )?{verb} you\b",
        ]
    return [re.compile(words) for words in written]


@cache
def item(key: str) -> re.Pattern[str]:
    """A list item or a lead that only names the message: “A short e-mail from the owner.”"""
    noun = rf"{NOUNS[key]}\b{_NO_OTHER_THING}"
    kind = (
        r"(?:short|personal(?:i[sz]ed)?|brief|plain|plain-text|follow-up|win-back|apology|goodbye"
        r"|one-line|single|direct|friendly|re-engagement|onboarding|targeted|founder|final|warm) "
    )
    ends = r"(?= ?(?:[.:,(]|$)| (?:from|with|to|offering|inviting|asking|within|after|signed)\b)"
    return re.compile(
        rf"^(?:(?:an?|one) (?:{kind}){{0,3}}|(?:{kind}){{1,3}}){noun}{ends}"
        r"(?!.*\b(?:is|was|are|were|has|had|caused|led|triggered)\b)"
        rf"|^(?:{kind})*(?:(?:personal|direct|proactive) )*"
        r"(?:outreach|follow-up|check-in|apology|note)"
        rf" (?:by|via|through|over)(?: an?)? (?:{kind})*{noun}{ends}"
        rf"|^{noun}(?: ?\((?:day|week|hour|within|after)[^)]{{0,30}}\))? ?:(?: |$)"
    )
