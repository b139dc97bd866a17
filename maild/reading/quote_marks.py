"""The marks that mail programs put around quotes, forwards, signatures and disclaimers, by language.

Policy as tables: a language is added here and nowhere else. Every pattern is anchored, matched against one
line cut at a limit, and has no nested repetition, so a line costs time linear in its length.
"""

from __future__ import annotations

import re
from typing import Literal

HeaderKind = Literal["from", "sent", "to", "cc", "subject"]

# The first words of an attribution line ("On ... wrote:") and its last ones. A line that begins like one and
# ends like one, with a digit or an address in between, is one; it may be broken over three lines.
_ATTRIBUTION_STARTS = (
    "On ", "At ", "Am ", "Le ", "El ", "Em ", "Il ", "Op ", "Den ", "在", "於", "于", "对于",
)  # fmt: skip
_ATTRIBUTION_ENDS = (
    "wrote:", "writes:", "schrieb:", "a écrit :", "a écrit:", "a écrit\u00a0:", "escribió:", "escreveu:", "ha scritto:",
    "schreef:", "skrev:", "写道：", "写道:", "寫道：", "寫道:", "撰寫：", "撰寫:", "来信：",
    "書きました:", "書きました：", "のメール:", "のメッセージ:",
)  # fmt: skip
_CHINESE_ENDS = ("写道：", "写道:", "寫道：", "寫道:")
_NAME_ENDS = (">", "のメール")
_WROTE_WITHIN = (" schrieb ", " wrote ", " schreef ", " skrev ")  # the name stands behind: `... schrieb A:`
_DATE_FIRST = re.compile(r"\d{4}(?:年\d{1,2}月\d{1,2}日|[-/]\d{1,2}[-/]\d{1,2})")
_YEAR = re.compile(r"(?:19|20)\d\d")
_TIME = re.compile(r"\d{1,2}[:.h時时]\d{2}")

_ORIGINAL = re.compile(
    r"[-_=*\s]{2,40}(?:Original Message|Original message|Original Appointment|Ursprüngliche Nachricht"
    r"|Originalnachricht|Message d'origine|Message original|Message d’origine|Mensaje original"
    r"|原始邮件|原始郵件|原始信件|原始消息|原邮件|回复的原邮件|元のメッセージ|Messaggio originale|Mensagem original)"
    r"[-_=*\s]{1,40}$"
)
_FORWARDED = re.compile(
    r"(?:[-_=*\s]{2,40}(?:Forwarded [Mm]essage|Forwarded by .{1,100}|Weitergeleitete Nachricht"
    r"|Message transféré|Mensaje reenviado|转发的邮件|转发邮件信息|轉寄的郵件|已轉寄的郵件|轉寄郵件|转发邮件"
    r"|轉寄信件|Forwarded mail|転送メッセージ|転送されたメッセージ|Messaggio inoltrato)[-_=*\s]{0,40}"
    r"|Begin forwarded message:|Anfang der weitergeleiteten Nachricht:|Début du message transféré :"
    r"|Début du message réexpédié :|Inicio del mensaje reenviado:|开始转发的邮件：|以下是轉寄的郵件：|開始轉寄郵件："
    r"|下面是被转发的邮件：|転送されたメッセージ：)$"
)
_HEADER_NAMES: dict[HeaderKind, str] = {
    "from": "From|发件人|寄件者|寄件人|發件人|Von|De|差出人|送信者|Da",
    "sent": (
        "Sent|Date|Sent at|发送时间|发送日期|日期|时间|寄件日期|傳送時間|傳送日期|發送時間|時間|Gesendet|Datum"
        "|Envoyé|Envoyé le|Date d'envoi|Enviado|Enviado el|Fecha|送信日時|日時|日付|Inviato|Data"
    ),
    "to": "To|收件人|收件者|An|À|A|Para|宛先|Destinataire",
    "cc": "Cc|CC|抄送|副本|Kopie|Copie|Copia",
    "subject": "Subject|主题|主題|主旨|标题|標題|Betreff|Objet|Asunto|件名|Oggetto",
}
_HEADER_LINE = re.compile(
    r"[*\s]{0,3}(?:" + "|".join(f"(?P<{kind}>{names})" for kind, names in _HEADER_NAMES.items()) + r")"
    r"[*\s]{0,3}[:：][*\s]{0,3}(?=\S|$)"
)
_DEVICE = re.compile(
    r"(?:Sent from (?:my )?(?:iPhone|iPad|mobile|phone|Samsung|Android|Huawei|HUAWEI|Outlook|Mail|Yahoo|Galaxy"
    r"|Windows|Proton|BlackBerry|Xiaomi)|Get Outlook for|Von meinem (?:iPhone|iPad|Samsung|Android|Mobil)"
    r"|Gesendet von (?:meinem|Mail|Outlook)|Diese Nachricht wurde von meinem"
    r"|Envoyé de mon|Envoyé depuis|Envoyé à partir|Enviado desde mi|Enviado desde (?:Outlook|Mail)"
    r"|(?:从我的|发自我的|發自我的|來自我的|從我的) ?.{1,30}(?:发送|傳送|发出|發送)?$|发自我的|發自我的|从我的 ?iP"
    r"|從我的 ?iP"
    r"|(?:iPhone|iPad|Android|スマートフォン)から送信)"
)
_SIGNATURE = ("-- ", "--", "--\u00a0")

# A paragraph that opens like a legal notice and speaks of a second legal thing further on is a disclaimer.
_DISCLAIMER_STARTS = re.compile(
    r"[*_\s]{0,5}(?:(?:THE |The |This |THIS |Diese |Ce |Cet |Este |Esta )?"
    r"(?:information|INFORMATION|e-?mail|E-?MAIL|E-?Mail|Email|message|MESSAGE|Nachricht|courriel|correo|mensaje"
    r"|transmission|communication)\b|CONFIDENTIALITY|Confidentiality|DISCLAIMER|Disclaimer|LEGAL NOTICE"
    r"|AVISO LEGAL|Aviso legal|Avis de confidentialité|Vertraulichkeitshinweis|IMPORTANT NOTICE"
    r"|(?:本|此|這封|这封)(?:电子)?(?:電子)?(?:邮件|郵件|信件|訊息|信息)|【?(?:免责声明|免責聲明|保密声明|保密聲明|機密聲明)"
    r"|(?:この|本)(?:電子)?メール)"
)
_DISCLAIMER_WORD_LIST = """
    confidential privileged intended|recipient unauthorised unauthorized|delete notify|sender disclos
    vertraulich bestimmt empfänger irrtümlich vernichten|löschen confidentiel destinataire erreur détruire
    confidencial destinatario borr elimin error 机密 保密 收件人 删除 误收 機密 收件者 刪除 誤收 誤傳 秘密 機密情報
    受信者 宛先 削除
"""
_DISCLAIMER_WORDS = tuple(_DISCLAIMER_WORD_LIST.split())
FEWEST_DISCLAIMER_WORDS = 2
_MARK_START = re.compile(
    r"[-_=*─━]|Begin forwarded|Anfang der|Début du|Inicio del|开始转发|以下是轉寄|開始轉寄|下面是被|転送された|"
    + _DEVICE.pattern
    + "|"
    + _DISCLAIMER_STARTS.pattern
)


def is_attribution(text: str) -> bool:
    """Whether a line (or up to three, joined) introduces a quote: who wrote what follows, and when."""
    if not text.endswith((":", "：")):
        return False
    if text.endswith(_ATTRIBUTION_ENDS) and (text.startswith(_ATTRIBUTION_STARTS) or "@" in text):
        return "@" in text or _has_digit(text) or text.endswith(_CHINESE_ENDS)
    if text.endswith(_CHINESE_ENDS):
        return _YEAR.search(text) is not None
    if text.startswith(_ATTRIBUTION_STARTS) and any(word in text for word in _WROTE_WITHIN):
        return _has_digit(text)
    return _DATE_FIRST.match(text) is not None and "@" in text and text[:-1].rstrip().endswith(_NAME_ENDS)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def may_begin_attribution(line: str) -> bool:
    """A cheap test, made for every line, before lines are joined."""
    return line.startswith(_ATTRIBUTION_STARTS) or line[:1].isdigit() or "@" in line or line.endswith("：")


def has_moment(text: str) -> bool:
    """Whether an attribution names an address, or a year and a time, and so is beyond doubt."""
    return "@" in text or (_YEAR.search(text) is not None and _TIME.search(text) is not None)


def is_original_mark(line: str) -> bool:
    """`-----Original Message-----` in any language."""
    return _ORIGINAL.match(line) is not None


def is_forward_mark(line: str) -> bool:
    """`---------- Forwarded message ---------` in any language."""
    return _FORWARDED.match(line) is not None


def header_kind(line: str) -> HeaderKind | None:
    """Which field a line of a quoted header block holds, or None."""
    match = _HEADER_LINE.match(line)
    return match.lastgroup if match else None  # type: ignore[return-value]  # the groups are the kinds


def is_device_signature(line: str) -> bool:
    """`Sent from my iPhone` in any language."""
    return _DEVICE.match(line) is not None


def is_signature_mark(line: str) -> bool:
    """The line `-- ` (RFC 3676 section 4.3), also when its space was lost on the way."""
    return line in _SIGNATURE


def may_begin_mark(line: str) -> bool:
    """A cheap test for all marks that are neither header lines nor attributions."""
    return _MARK_START.match(line) is not None


def may_begin_disclaimer(line: str) -> bool:
    """Whether a paragraph opens like a legal notice."""
    return _DISCLAIMER_STARTS.match(line) is not None


def is_disclaimer(paragraph: str) -> bool:
    """Whether a paragraph that opens like a legal notice is one, not the sender's own words."""
    lower = paragraph.lower()
    hits = sum(any(word in lower for word in words.split("|")) for words in _DISCLAIMER_WORDS)
    return hits >= FEWEST_DISCLAIMER_WORDS
