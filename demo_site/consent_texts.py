"""Texts of the second business's boxes for consent, in all languages of the widget."""

from typing import Final

RULES: Final = {
    "en": "I have read the house rules of the studio.",
    "ar": "قرأت قواعد الاستوديو.",
    "de": "Ich habe die Hausordnung des Studios gelesen.",
    "es": "He leído las normas del estudio.",
    "fr": "J’ai lu le règlement du studio.",
    "he": "קראתי את כללי הסטודיו.",
    "hi": "मैंने स्टूडियो के नियम पढ़ लिए हैं।",
    "id": "Saya sudah membaca peraturan studio.",
    "it": "Ho letto il regolamento dello studio.",
    "ja": "スタジオの利用規則を読みました。",
    "ko": "스튜디오 이용 규칙을 읽었습니다.",
    "nl": "Ik heb de huisregels van de studio gelezen.",
    "pl": "Znam regulamin studia.",
    "pt-br": "Li as regras do estúdio.",
    "ru": "Я прочитал(а) правила студии.",
    "tr": "Stüdyonun kurallarını okudum.",
    "uk": "Я ознайомлений(-а) з правилами студії.",
    "vi": "Tôi đã đọc nội quy của studio.",
    "zh-hans": "我已阅读工作室守则。",
    "zh-hant": "我已閱讀工作室守則。",
}
NEWS: Final = {
    "en": "Email me news and offers, once a month at most. I can unsubscribe at any time.",
    "ar": "أرسلوا لي الأخبار والعروض بالبريد الإلكتروني مرة في الشهر على الأكثر. يمكنني إلغاء الاشتراك في أي وقت.",
    "de": (
        "Schicken Sie mir höchstens einmal im Monat Neuigkeiten und Angebote per E-Mail. "
        "Ich kann sie jederzeit abbestellen."
    ),
    "es": (
        "Quiero recibir novedades y ofertas por correo, como máximo una vez al mes. Puedo darme de baja cuando quiera."
    ),
    "fr": (
        "Envoyez-moi des nouvelles et des offres par e-mail, une fois par mois au plus. "
        "Je peux me désinscrire à tout moment."
    ),
    "he": "שלחו לי חדשות ומבצעים בדוא״ל, פעם בחודש לכל היותר. אפשר לבטל בכל עת.",
    "hi": ("मुझे महीने में ज़्यादा से ज़्यादा एक बार ईमेल से समाचार और ऑफ़र भेजें। मैं कभी भी इन्हें बंद कर सकता/सकती हूँ।"),
    "id": "Kirimi saya kabar dan penawaran lewat email, paling banyak sekali sebulan. Saya bisa berhenti kapan saja.",
    "it": (
        "Inviatemi novità e offerte via email, al massimo una volta al mese. Posso disiscrivermi in qualsiasi momento."
    ),
    "ja": "お知らせや特典をメールで受け取る（月1回まで）。配信はいつでも停止できます。",
    "ko": "소식과 혜택을 이메일로 받겠습니다(한 달에 한 번 이하). 언제든지 수신을 거부할 수 있습니다.",
    "nl": "Mail mij nieuws en aanbiedingen, hooguit één keer per maand. Ik kan me altijd afmelden.",
    "pl": "Chcę dostawać e-mailem nowości i oferty, najwyżej raz w miesiącu. Mogę zrezygnować w każdej chwili.",
    "pt-br": "Quero receber novidades e ofertas por e-mail, no máximo uma vez por mês. Posso cancelar quando quiser.",
    "ru": "Присылайте мне новости и предложения по почте не чаще раза в месяц. Я могу отписаться в любое время.",
    "tr": "Bana en fazla ayda bir kez e-postayla haber ve teklif gönderin. Dilediğim zaman vazgeçebilirim.",
    "uk": "Надсилайте мені новини та пропозиції поштою не частіше ніж раз на місяць. Я можу відписатися будь-коли.",
    "vi": "Gửi tin tức và ưu đãi cho tôi qua email, nhiều nhất mỗi tháng một lần. Tôi có thể hủy bất cứ lúc nào.",
    "zh-hans": "通过电子邮件向我发送新闻和优惠，每月最多一次。我可以随时退订。",
    "zh-hant": "透過電子郵件寄送最新消息與優惠給我，每月最多一次。我可以隨時取消訂閱。",
}
