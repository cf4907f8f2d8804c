"""The words by which receiving servers say why they refuse a message, in many languages.

`bounces` tries these in order on a text that `plain` has prepared. A pattern is written in lower
case and without accents; a pair of words may be some words apart, but not beyond a semicolon.
"""

import re
import unicodedata
from functools import cached_property
from re import Match, Pattern


def plain(text: str) -> str:
    """Lower case, without accents: `Boîte` and `boite` are one word."""
    text = text.casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text.replace("’", "'"))
    bare = "".join(part for part in parts if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", bare)


class Words:
    """Patterns of which one is to be found in a text.

    They are compiled when they are first searched for: to compile all takes a twentieth of the time
    in which a process starts, and most processes read no reply of a receiving server.
    """

    def __init__(self, *patterns: str) -> None:
        self._patterns = patterns

    def search(self, text: str) -> Match[str] | None:
        return self._compiled.search(text)

    @cached_property
    def _compiled(self) -> Pattern[str]:
        joined = "|".join(self._patterns)
        return re.compile(joined if joined.isascii() else plain(joined))


# Whoever a message is for: their address, their mailbox, their account.
_BOX = r"(?:mail ?box(?:es)?|mbox|inbox|account|mail ?drop|mail ?folder|maildir|postbox)"
_THEM = (
    rf"(?:users?|user ?name|user ?id|recipients?|{_BOX}|address(?:es|ees?)?|rcpt|alias|customer"
    r"|local[ -]?part|e-?mail (?:address|account|id)|destination|person|virtual user|addr)"
)
# The same, in other languages, for words that say which of them is meant.
_BOX_ABROAD = (
    r"(?:boite|compte|adresse|destinataire|utilisateur|postfach|konto|benutzer|empfanger"
    r"|buzon|casilla|cuenta|usuario|destinatario|caixa|conta|correio|casella|utente|account"
    r"|postvak|gebruiker|skrzynk\w+|konto|uzytkownik\w*|ящик\w*|аккаунт|пользовател\w+|учетн\w+"
    r"|posta kutusu|hesap|kullanici|메일함|계정|사용자|수신자|받는|邮箱|用户|帐号|账号|收件人|信箱"
    r"|帳號|用戶|受信者|メールボックス|ユーザー|アカウント)"
)
_OURS = (
    r"(?:sender|mail ?from|from[ -]address|from:|return[ -]path|reverse[ -]path|originator"
    r"|expediteur|emetteur|absender|remitente|remetente|mittente|afzender|nadawc\w+"
    r"|отправител\w+|gonderen|발신자|보낸 ?사람|发件人|寄件人|发信人|寄件者|送信者|送信元|差出人)"
)

# Busy: the server asks for patience, or the mailbox gets more than it may at the moment.
GREYLISTED = Words(
    r"gr[ea]y[ _-]?list",
    r"first[ -]time (?:sender|connection|delivery)",
    r"verification (?:is )?in progress",
)
FLOODED = Words(
    r"receiving (?:mail|messages|e-?mails?) (?:too (?:quickly|fast)|at a rate)",
    r"recipient\b[^;]{0,30}exceeded[^;]{0,40}(?:receiv|rate|per hour)",
    r"per hour (?:message )?receive limit exceeded",
    r"receiving limit|recipient thread limit|too many recent messages",
    rf"{_BOX}\b[^;]{{0,40}}temporar\w+ (?:un|not )available",
    rf"{_BOX} (?:\w+ )?(?:busy|locked by|temporarily locked)",
)
# The mailbox is full.
QUOTA_OF_OURS = Words(
    r"(?:daily|hourly|sending|sender|submission|queue|outbound|rate|connection)\b[^;]{0,25}quota",
    r"quota\b[^;]{0,25}(?:per (?:hour|day|minute)|for sending)",
)
FULL = Words(
    rf"(?:{_BOX}|recipient|user|storage|quota|address)\b[^;]{{0,40}}\bfull\b",
    rf"\bfull (?:{_BOX}|storage)",
    r"over[ _-]?quota|quota[^;]{0,30}(?:exceed|full|reach|violat|depass|uberschritt|excedid|limit)",
    r"(?:exceed\w*|over|beyond|reached|out of)[^;]{0,40}(?:quota|storage|disk space)",
    rf"{_BOX}\b[^;]{{0,30}}(?:size|space|limit|storage)[^;]{{0,20}}(?:exceed|reach|limit|full"
    rf"|over)",
    rf"{_BOX} (?:has |have |is |was )?(?:exceed\w*|over) ",
    rf"exceed\w*[^;]{{0,30}}{_BOX}(?:'s)? (?:size|limit|space)",
    r"storage (?:limit|space|allocation|quota)[^;]{0,25}(?:exceed|reach|full|over)",
    rf"(?:not enough|insufficient|no)(?: \w+)? (?:space|storage|room)[^;]{{0,30}}{_THEM}",
    rf"{_THEM}[^;]{{0,40}}(?:not enough|insufficient|no) (?:\w+ )?(?:space|storage|room)",
    r"exhausted[^;]{0,30}(?:storage|space|quota)|writing message: file too large",
    r"\bquota\b|zu ?viele mails auf|space has been used up|no space left|too many messages (?:on"
    r"|in) the (?:server|mailbox)",
    r"pleine?\b[^;]{0,20}(?:boite|quota)|boite[^;]{0,40}(?:pleine|saturee)|espace[^;]{0,20}insuff",
    r"(?:postfach|mailbox|speicher\w*|kontingent|konto)[^;]{0,40}(?:\bvoll\b|erschopft|uberschr)",
    r"(?:buzon|casilla|bandeja|cuenta|cuota|almacenamiento)[^;]{0,40}(?:llen[ao]|excedid|superad)",
    r"(?:caixa|conta|quota|cota|espaco)[^;]{0,40}(?:chei[ao]|lotad|excedid|esgotad|estourad)",
    r"(?:casella|cassetta|quota|spazio)[^;]{0,40}(?:pien[ao]|superat|esaurit)",
    r"postvak[^;]{0,20}vol\b|skrzynk\w+[^;]{0,20}(?:peln|przepeln|pełn|przepełn)",
    r"(?:ящик|квот|хранилищ|мест)[^;]{0,40}(?:переполн|превыш|заполн|недостат|исчерп)|переполнен",
    r"kutusu[^;]{0,20}dolu|kota[^;]{0,20}(?:as|dol)|kvot\w*[^;]{0,20}(?:full|overskr)",
    r"(?:메일함|편지함|용량|저장)[^;]{0,30}(?:초과|부족|가득|꽉)",
    r"(?:邮箱|信箱|郵箱|空间|空間|容量|配额|配額)[^;]{0,20}(?:已?满|已?滿|不足|超|已?用完)",
    r"(?:メールボックス|容量|受信箱|保存)[^;]{0,20}(?:いっぱい|一杯|超|不足|満杯)",
)
# Blocked: it is our doing. How large a message is, what is in it, and how many of them.
TOO_LARGE = Words(
    r"(?:message|mail|e-?mail|attachment|content|file|header|body)s?\b[^;]{0,40}"
    r"(?:too (?:large|big)|larger than|exceed\w*[^;]{0,40}size|size[^;]{0,40}(?:exceed|too))",
    r"(?:message|mail|attachment|content|file|header|body|line)s?(?: \w+){0,2} too long",
    r"^too (?:large|big)$",
    r"(?:maximum|max|exceed\w*|over)[^;]{0,30}(?:message|mail|attachment) size",
    r"(?:message|mail|data) (?:size|length)[^;]{0,20}(?:exceed|limit|over|too)",
    r"taille[^;]{0,20}message|nachricht[^;]{0,20}zu gro|mensaje[^;]{0,25}(?:grande|tamano)",
    r"mensagem[^;]{0,25}(?:grande|tamanho)|письмо[^;]{0,20}(?:велик|больш)|메일 ?크기"
    r"|邮件[^;]{0,9}大",
)
TOO_MANY = Words(
    r"(?:too many|excessive|number of)[^;]{0,20}(?:unknown|invalid|bad|nonexistent)[^;]{0,12}"
    r"(?:recipient|user|rcpt|address)",
    r"rate[ -]?limit|limit\w* (?:the )?rate|throttl|slow(?:er|ly)? down|try (?:again )?slower",
    r"frequency (?:is |was )?limited|(?:connection|sending|message|delivery) rate|unusual rate",
    r"too many (?:\w+ ){0,2}(?:connections?|messages?|e-?mails?|mails?|sessions?|requests?"
    r"|recipients|errors?|commands|spams?|complaints?)",
    r"(?:number|limit|maximum)[^;]{0,20}(?:concurrent|simultaneous|connections)",
    r"max\w* (?:\w+ )?(?:message|recipient|mail)s? per|(?:mails?|messages) per (?:hour|day"
    r"|minute|session)",
    r"too (?:fast|quickly|much (?:mail|traffic))|(?:unexpected|excessive|high|unusual) volume",
    r"(?:user|spam|abuse) complaints|complaint rate|exceeded (?:permitted|its|the|your) "
    r"(?:\w+ )?(?:limit|threshold)|exceeded threshold|threshold exceeded"
    r"|(?:relay|sending|daily|hourly) limit|service refused|excessively",
    r"trop de (?:connexions|messages|mails|requetes)|zu viele (?:verbindungen|nachrichten"
    r"|e-?mails)",
    r"demasiad[ao]s (?:conexiones|mensajes|correos)|muitas (?:conexoes|mensagens)",
    r"troppe connessioni|слишком (?:много|часто)|제한[^;]{0,10}초과|频率|頻率|过于频繁|太快",
)
# Our domain: its records, its signatures, the name of the sending server.
OUR_DOMAIN = Words(
    r"\b(?:spf|dkim|dmarc|domainkeys?|sender ?id|sender policy framework)\b",
    r"\bunauthenticated|not authenticated|authenticat\w+ (?:check|information|result|fail)",
    r"fail\w* (?:\w+ )?authentication|(?:does not|doesn't|not) pass\w* (?:\w+ )?authenticat",
    r"domain of (?:the )?sender|sender(?:'s)?(?: \w+){0,2} domain|(?:mail ?from|from) domain"
    r"|sending domain|domain in the 5322|5322\.?from|sender domain|unregistered domain",
    r"dns (?:ptr|mx)\b|\b(?:helo|ehlo)\b|\bptr\b|\brdns\b|reverse[ -](?:dns|host|lookup|name"
    r"|record)|no reverse",
    r"(?:find|resolve|verify) your (?:reverse )?(?:host|address|ip)|unresolvable relay host"
    r"|name lookup failed",
    r"dominio del? (?:remitente|mittente)|dominio do remetente|domaine de l'?(?:expediteur|emett)",
    r"domain des absenders|absender-?domain|домен\w* отправител|발신 ?도메인|发件人域|发信域",
)
# Our address or our server.
OUR_ADDRESS = Words(
    r"spamhaus|spamcop|sorbs|barracuda(?:central|networks)|uribl|surbl|invaluement|senderscore"
    r"|cloudmark|proofpoint\.com|symantec|mail-abuse|manitu|uceprotect|abuseat|abusix|spamrl"
    r"|hostkarma|backscatterer|trend ?micro|talos|senderbase",
    r"\bdns[rb]*l\b|\bdnsbl|\brbl\b|black[ -]?list|block[ -]?list|deny[ -]?list|realtime block",
    r"(?<!not )\blisted (?:in|at|on|by|with)\b|found (?:in|on) (?:one or more )?(?:dnsbl|\w+bl\b)",
    r"reputation|spammer|spam (?:sender|source)|blocked using",
    r"banned (?:send|ip|host)|(?:client )?host (?:was |is )?(?:rejected|blocked)|bad ip\b",
    r"\byour (?:\w+ )?(?:ip|server|host|network|domain|mta|isp|mail server|connection)\b[^;]{0,60}"
    r"(?:block|reject|refus|denied|den[iy]|not |ban|filter|bad|list|suspic|forbid|limit|low)",
    r"(?:sending|source|originating|connecting|sender) (?:ip\b|mta|(?:server|host)[^;]{0,40}"
    r"(?:block|reject|refus|den(?:y|ied)|ban|list|not ))|\bip[=:] ?ip\b",
    r"\bip (?:address )?(?:\(?ip\)? ?)?(?:is |was |has been )?(?:block|reject|refus|denied|not "
    r"|ban)",
    r"\bfrom: ?(?:address|domain|header|is\b)|valid from\b|invalid credentials",
    r"connections? (?:will )?not (?:be )?(?:accepted|allowed)"
    r"|not (?:currently )?accepting mail from",
    r"not (?:allowed|authori[sz]ed|permitted|entitled) to (?:send|submit|connect|mail|deliver)",
    r"(?:sending|submission) (?:for|from|of)\b[^;]{0,30}(?:disabled|denied|blocked|suspended)",
    r"(?:bad|invalid|fake|unknown|spoofed|unverified|illegal|forged|unroutable|unauthori[sz]ed"
    rf"|refused|blocked|bogus|null|empty|suspected|banned) (?:\w+ )?{_OURS}",
    rf"(?:den(?:y|ies)|reject(?:s|ing)|refus(?:es|ing)|block(?:s|ing)) (?:the |this "
    rf"|your )?{_OURS}",
    rf"{_OURS}\b[^.;]{{0,60}}?\b(?:reject|refus|den(?:y|ied)|block|ban|invalid|unknown|verif|fail"
    r"|not |n't|bad\b|illegal|forbid|prohibit|unaccept|spoof|suspen|disabled|limited|null|need"
    r"|inconn|invalid|unbekannt|abgelehnt|gesperrt|desconocid|desconhecid|rechazad|rejeitad"
    r"|inexist|no existe|nao existe|sconosciut|rifiutat|blo[cq]\w+|onbekend|nieznan|odrzuc"
    r"|неизвест|отклон|заблок|не суще|запрещ|yok|reddedil)",
    r"(?:발신자|보낸 ?사람|发件人|寄件人|发信人|寄件者|送信者|送信元|差出人)[^;]{0,20}"
    r"(?:차단|거부|없|오류|被|不|拒|无|錯|误|拒否|存在|無効|ブロック)",
    r"(?:adresse )?ip[^;]{0,20}(?:bloqu|gesperrt|bloccat|заблок|차단|被|封|屏蔽|拒)",
    r"liste noire|lista neg?ra|schwarze liste|черн\w+ списк|黑名单|黑名單|블랙리스트"
    r"|ブラックリスト",
)
# Suspended: the mailbox is there, and its owner or its operator has closed it for now.
_CLOSED = (
    r"(?:disabled|inactive|inactivated|suspended|de-?activated|frozen|terminated|cancell?ed"
    r"|discontinued|archived|not (?:currently |yet )?(?:been )?(?:active|activated|enabled)"
    r"|no longer active|dormant|hibernat\w+|retired|revoked|on hold|hang ?up)"
)
SUSPENDED = Words(
    rf"{_THEM}\b[^;]{{0,60}}\b{_CLOSED}\b",
    rf"\b{_CLOSED}[ /](?:\w+[ /]){{0,2}}{_THEM}",
    rf"{_BOX}[^;]{{0,25}}\b(?:closed|(?<!temporarily )locked|blocked|expired)\b",
    r"\b(?:user|address|domain) (?:is |has |was )?(?:been )?(?:blocked|locked|expired|closed)\b",
    rf"\b(?:closed|locked|expired|blocked) (?:\w+ )?(?:{_BOX}|user\b|address|domain)",
    rf"{_THEM}\b[^;]{{0,30}}temporar\w+ (?:locked|suspended|disabled)",
    r"is (?:now|currently|permanently) (?:disabled|suspended|inactive|deactivated|locked)"
    r"|\buser\b[^;]{0,15}\blocked|account is not allowed",
    r"recipient address rejected: (?:blocked|inactive|suspended|locked|disabled)",
    r"domain\b[^;]{0,25}(?:disabled|suspended|inactive|deactivated)|no mail-enabled subscription",
    r"(?:due to|extended|long|because of) (?:\w+ ){0,2}inactivity|policy rejection on the target",
    rf"{_THEM}\b(?:(?!domain|host)[^;]){{0,40}}not accept(?:ing|s)? "
    r"(?:any |new |more )?(?:mail|messages|e-?mail)\b(?! (?:in|with|from)\b)",
    r"disabled ?user|user ?disabled|account ?disabled|inactive ?user",
    rf"{_BOX_ABROAD}[^;]{{0,40}}(?:desactiv|inactif|suspend|cloture|archive|bloque|ferme"
    r"|deaktiviert|gesperrt|stillgelegt|inaktiv|geschlossen|deshabilitad|inactiv|cancelad|cerrad"
    r"|desativad|inativ|suspens|bloquead|disattivat|disabilitat|sospes|inattiv|bloccat|chius"
    r"|uitgeschakeld|geblokkeerd|zablokow|wyłącz|wylacz|nieaktyw|отключ|заблокир|неактив|закрыт"
    r"|devre disi|askiya|휴면|정지|중지|잠금|停用|冻结|凍結|禁用|休眠|锁定|鎖定|注销|停止|無効)",
)
# Gone: no such address, or no such domain, or it receives no mail.
DNS_SOFT = Words(
    r"host not found,? try again|dns (?:soft|temp|time|query time)|name ?server[^;]{0,20}(?:time"
    r"|fail)",
    r"i/o timeout|servfail|temporary (?:dns|name|failure in name|lookup)"
    r"|unexpected name server reply",
)
_NOT_THERE = (
    r"(?:unknown(?! (?:error|reason|command|status|failure|problem))|unknow\b"
    r"|not (?:be )?(?:found|known|exist|listed|valid|registered|present|local)"
    r"|(?:does|do|did)(?:n't| not| no) exist|doesn't have|not (?:a|an|our|in|on|one of) "
    r"|no longer (?:exist|valid|accept|available|in use|work|at|with|employ)"
    r"|invalid(?! (?:header|message|content|char|date|format|mime|signature|certif|command))"
    r"|non[ -]?exist\w*|unallocated|deleted|removed|(?:has )?left (?:the|our|us)\b|has left"
    r"|(?:has|have) (?:been )?moved"
    r"|wrong|undeliverable|unrecogni[sz]ed|not recogni[sz]ed|misspelled|is not valid|isn't)"
)
GONE = Words(
    r"(?:unknown|unknow|no such|non[ -]?exist\w*|invalid|bad|undeliverable|illegal|unresolvable"
    r"|incorrect|wrong|unrecogni[sz]ed|no valid|no correct) "
    r"(?:(?!header|message|content|mail\b|command|error|in\b|for\b|from\b)[\w-]+ ){0,2}?"
    rf"{_THEM}",
    rf"{_THEM}\b[^;]{{0,60}}?\b{_NOT_THERE}",
    r"does(?: not|n't) (?:exist|have an? [^;]{0,30}account|live here|work here)|not[ -]?exist",
    r"\bno (?:mail ?box|user|account|recipient|one|person|longer valid)\b|is no longer valid",
    r"not (?:our|a (?:known|valid|local)|in recipient list|my) (?:customer|user|recipient)?",
    r"no such (?:person|domain|host|name|id|local|mail|e-?mail)|no[ -]such[ -]user|nosuchuser"
    r"|invalid-recipient|userunknown|unknown-?user|recip(?:ient)?notfound|badrcpt|validrcptto"
    r"|banned recipient|not on bypass list",
    r"bounced address|address change|\bno rcpt\b|(?:has|have) (?:been )?moved (?:to|away)"
    r"|(?:been )?replaced by|please use the new address",
    r"\baddress(?:ee)? (?:is )?(?:invalid|unknown)|bad (?:destination|address)|address syntax",
    r"(?:domain|host)(?: name)?(?: or domain name)?[^;]{0,20}\b(?:not (?:be )?found|unknown"
    r"|(?:does|do)(?:n't| not) exist|invalid|not valid|not resolve)",
    r"(?:unknown|no such|nonexistent|invalid|dead) (?:\w+ )?(?:domain|host)|non-?existent domain",
    r"nx ?domain|domain lookup failed|dns hard error|name or service not known|no[ -]domain\b",
    r"\bno (?:valid )?mx\b|no relevant answers|null ?mx|null mx|couldn't find any host|(?:un"
    r"|not )able to resolve"
    r"|could ?(?:not|n't) (?:be )?resolved?|cannot resolve|mx (?:records? )?points? to",
    r"(?:domain|host)\b[^;]{0,25}(?:does not|doesn't|not) accept (?:any )?(?:e-?)?mail",
    r"unrout[e]?able|unroutable|not hosted here|not a gateway|ambiguous|not unique"
    r"|doesn't handle mail|don't handle mail"
    r"|cannot deliver mail for|previously bounced|suppress\w+[^;]{0,80}(?:bounc|invalid)",
    r"relay(?:ing)?(?: access| operation)? (?:is )?(?:denied|not (?:permitted|allowed)|prohibited"
    r"|disallowed|rejected|forbidden)|(?:unable|not (?:permitted|allowed|configured)) to relay"
    r"|cannot relay|we do not relay|open relay|allowed rcpthosts|as a relay|no relaying",
    rf"{_BOX_ABROAD}[^;]{{0,60}}(?:inconnu|introuvable|invalide|inexist|n'existe|n existe|unbekannt"
    r"|nicht (?:gefunden|vorhanden|bekannt|existent)|ungultig|desconocid|no (?:existe|encontrad"
    r"|valid)|no se (?:ha )?encontr|desconhecid|nao (?:existe|encontrad|foi encontrad)|invalid[ao]"
    r"|sconosciut|non (?:esiste|trovat|valid)|onbekend|bestaat niet|niet gevonden|nie istnieje"
    r"|nieznan|не (?:найден|существ)|неизвестн|несуществ|yok\b|bulunamadi|mevcut degil"
    r"|없|존재하지|찾을 수|不存在|不正确|未找到|无效|無效|未开通|見つかりません|存在しません|不明)",
    r"(?:benutzer|empfanger)[^;]{0,25}kein (?:konto|postfach)",
    r"existiert nicht|nicht vorhanden|inexistent[eo]|n'existe pas|no existe|nao existe|non esiste"
    r"|bestaat niet|(?:inconnu|unbekannt|desconocid|desconhecid|sconosciut|nieznan)\w* "
    r"(?:utilis|destin|benutz|empfang|usuari|utent|odbiorc|uzytk|użytk)"
    r"|unbekannte\w* (?:empfang|adress|benutz)|(?:usuario|destinatario|utente) (?:des|inex|scon)",
    r"nie istnieje|nie ma takiego|не существует|нет такого|не найден|несуществующ|неизвестный п",
    r"finns inte|findes ikke|finnes ikke|okand (?:anv|mott)|ukendt|ukjent|tuntematon|ei loydy"
    r"|neexistuje|neznam|ismeretlen|nem letezik|necunoscut|nu exista|khong ton tai|tidak ditemukan",
    r"존재하지|없는 (?:사용자|계정|메일|주소|아이디)|찾을 수 없|不存在|查无此人|查無此人|宛先不明"
    r"|存在しません|存在しない|見つかりません|غير موجود|לא קיים|δεν υπαρχει|не існує|bulunamadi",
)
# Blocked: what a message is, to a filter or by a rule of theirs.
POLICY = Words(
    r"spam|junk|unsolicited|\bbulk\b|\buce\b|phish|malware|virus|trojan|infected|malicious",
    r"polic(?:y|ies)\b|prohibit|forbidden|banned|administrative|transport rule|restrict",
    r"content\b[^;]{0,20}(?:filter|reject|denied|not|restrict|block|unaccept|similar)|mail content",
    r"blocked|\bblock\b|not rfc|non-?compliant|rfc[ -]?(?:2822|5322|822)|\bheaders?\b|attachment"
    r"|suspicious\b|tls (?:is )?required|starttls",
    r"spoof|quarantin|filtered|by (?:our |the )?filters?|security (?:polic|issue|reason|risk"
    r"|check)",
    r"(?:reject|refus|den|block)\w* by (?:the |this )?(?:recipient|user|addressee|customer)",
    r"refuse[sd]? to (?:receive|accept)|forgery|by administrator|only accept\w* (?:mail"
    r"|messages) from|not accept\w* mail from"
    r"|members?[ -]only|moderated|resolver\.rst|authrequired|authenticat|authori[sz]ed"
    r"|authentication required",
    r"(?:message|mail|e-?mail|delivery|submission)s? (?:has been |was |is |were |have been )?"
    r"(?:\w+ )?(?:rejected|refused|blocked|denied|not (?:accepted|allowed|permitted)|unaccept)",
    r"(?:rejected|refused|blocked) (?:your|this|the) (?:message|mail|e-?mail)",
    r"(?:allow|white|safe)[ -]?list|transaction failed: (?:rej|spam)|e-?mail not accepted"
    r"|rejecting|go away|\bmime\b",
    r"(?:message|courriel|mail)[^;]{0,20}(?:rejete|refuse|bloque|indesirable)|contenu|politique",
    r"abgelehnt|abgewiesen|zuruckgewiesen|richtlinie|unerwunscht",
    r"bloquead|rechazad|no deseado|politica|rejeitad|recusad|nao solicitad|conteudo|bloccat"
    r"|rifiutat|indesiderat|geweigerd|geblokkeerd|odrzucon|zablokow",
    r"спам|отклонен|заблокир|запрещ|политик|스팸|차단|수신 ?거부|정책|垃圾|拒绝|拒收|拒絕|屏蔽"
    r"|封锁|违规"
    r"|反垃圾|迷惑|拒否|ブロック|ポリシー|reddedildi|engellendi",
)
LOOPING = Words(r"\bloop|too many hops|hop count|loops back|routing loop")
# Expired: nobody answered for as long as it was tried.
EXPIRED = Words(
    r"(?:message|delivery|queue|time|retr\w+|period|delay)\b[^;]{0,40}(?:expired|too old)"
    r"|queue\.expired",
    r"time[ -]?out|timed[ -]out|connection expired|gave up|giving up|too long in (?:the )?queue"
    r"|queue (?:for )?too long",
    r"connection (?:was |has been )?(?:refused|reset|lost|dropped|closed|died|failed|broken)"
    r"|connection with [^;]{0,40}broken|lost connection|bad connection|no connection",
    r"(?:unable|not able|failed|wasn't able) to (?:establish|connect)|can(?:not|'t| not) connect"
    r"|could ?(?:not|n't) connect|connect\w* to [^;]{0,40}failed|network error",
    r"(?:host|network|server|destination)s?(?: is| was| are)? (?:unreachable|down|not respond)",
    r"\bdns (?:failure|error)|requests to connect|no (?:answer|response|route to)"
    r"|did not respond|not (?:be )?reach|unreachable|not responding",
    r"(?:for|over|after|within)\b[^;]{0,20}(?:\d+|several|many|three|four|five) (?:hours|days|tries"
    r"|attempts|retries)|failing for a long time|delai (?:d'attente )?(?:depasse|expire)"
    r"|zeituberschreitung|tiempo de espera|tempo (?:limite|esgotado)|время ожидания|시간 ?초과"
    r"|超时|逾時",
)
BUSY = Words(
    r"later|try(?:ing)? again|temporar|retry|come back|busy|overload|deferr?ed|defer\b",
    r"internal (?:server )?error|resources? (?:temporarily )?(?:un|not )available|handshake"
    r"|\btls\b",
    r"local error|system (?:error|failure|resources)|insufficient|not enough|maintenance|shutting",
    r"not accepting (?:network )?(?:messages|connections)",
    r"server error|write error|disk|configuration|closing (?:transmission|connection)",
    r"plus tard|spater|mas tarde|mais tarde|piu tardi|позже|나중에|稍后|稍後|後ほど|pozniej"
    r"|daha sonra",
)
# Weaker words, which a status overrules.
REFUSED_RECIPIENT = Words(
    r"(?:recipient|rcpt|user|mail ?box|address)(?:s|es| address(?:es)?)?\b[^;]{0,30}?"
    r"(?:reject|den(?:y|ied)|refus|not (?:accepted|allowed|available|ok\b|be verified)|unavail)",
    r"no thank you|not accept\w* (?:for )?this (?:recipient|address)",
)
REFUSED = Words(r"access denied|not authori[sz]ed|reject|refus|denied|den(?:y|ied)|not allowed")
