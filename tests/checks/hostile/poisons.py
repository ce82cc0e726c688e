"""250 texts that would move a cursor, set a title, fill a clipboard, hide, turn round or pass for something else."""

from __future__ import annotations

_CONTROLS = [f"a{chr(code)}b" for code in (*range(0x20), *range(0x7F, 0xA0))]
_CSI = [
    "2J", "H", "1;1H", "31m", "0m", "?25l", "?25h", "?1049h", "?2004h", "s", "u", "6n", "5n", "c", ">c", "=c", "!p",
    "1A", "9D", "9C", "1K", "2K", "3J", "20h", "?5h", "r", "1;1r", "18t", "21t", "8;1;1t", "?1000h", "i",
    "5i", "@", "999P",
]  # fmt: skip
_OSC = [
    "0;title", "2;title", "8;;http://evil.example/", "52;c;ZXZpbA==", "52;p;?", "4;1;rgb:0/0/0", "10;?", "11;#000000",
    "104", "777;notify;a;b", "9;done", "1337;File=:AAAA", "133;A", "7;file:///etc", "50;font", "1337;ClearScrollback",
]  # fmt: skip
_OTHER_ESCAPES = [
    f"\x1b{rest}"
    for rest in (
        "c",
        "7",
        "8",
        "(0",
        ")B",
        "#8",
        "N",
        "O",
        "=",
        ">",
        "D",
        "E",
        "M",
        "H",
        "Z",
        "\\",
        "l",
        "m",
        "[",
        "]",
        "",
    )
]
_STRINGS = [
    f"{begin}payload{end}"
    for begin in ("\x1bP", "\x90", "\x1b_", "\x9f", "\x1b^", "\x9e", "\x1bX", "\x98")
    for end in ("\x1b\\", "\x9c")
]
_BIDI = [f"safe{chr(code)}efas" for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
_HIDDEN = [
    f"p{chr(code)}ass"
    for code in (
        0x00AD, 0x034F, 0x115F, 0x180E, 0x200B, 0x200C, 0x200D, 0x2028, 0x2029, 0x2060, 0x2064, 0x3164, 0xFEFF, 0xFFA0,
        0xFFF9, 0xE0001, 0xE0041,
    )
]  # fmt: skip
_OVERWRITTEN = [
    "fail\rpass", "fail\b\b\b\bpass", "x\n\nVERDICT go", "x\r\nNext: rm -rf /", "a\tb\tc", "a\vb\fc", "\n" * 40, "\r",
    "fail\x1b[4Dpass", "\x1b[1A\x1b[2Kpass", "x\u0085pass", "\x00",
]  # fmt: skip
_MARKUP = [
    "[bold red]x[/bold red]", "[/x]", "[/]", "[link=http://evil.example]x[/link]", ":boom:", ":warning:", "[[x]]",
    "\\[x]", "[blink]", "[@click=app.quit]x[/]", "{x}", "{{x}}", "{% x %}", "%s%n", "%(x)s", "${HOME}", "$(id)", "`id`",
    "<script>", "<img src=x>", "&lt;", "| a | b |", "[x](http://evil.example)", "![x](http://evil.example/a.png)",
    "```", "***", "# x", "~~x~~", "- [ ] x", "1. x", "::error::x", "##vso[x]", "not ok 1", "Bail out!",
    "<![CDATA[x]]>", "]]>", "<!--", "-->",
]  # fmt: skip
_LARGE = ["x" * 10_000, "\x1b[31m" * 500, "é" * 3000, "\u0301" * 400]

POISONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *_CONTROLS,
            *(f"\x1b[{rest}" for rest in _CSI),
            *(f"\x9b{rest}" for rest in _CSI[:10]),
            *(f"\x1b]{rest}{end}" for rest in _OSC for end in ("\x07", "\x1b\\")[: 1 + (len(rest) > 4)]),
            *(f"\x9d{rest}\x9c" for rest in _OSC[:6]),
            *_OTHER_ESCAPES,
            *_STRINGS,
            *_BIDI,
            *_HIDDEN,
            *_OVERWRITTEN,
            *_MARKUP,
            *_LARGE,
        ]
    )
)
