//! What a reader sees of an answer, and that none of it does anything.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::inert;

/// What is active in a text, in any reading, but links that are harmless.
fn active(text: &str) -> Option<String> {
    for options in [
        Options::empty(),
        Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES,
        Options::ENABLE_GFM,
        Options::all(),
    ] {
        let parser = Parser::new_ext(text, options);
        if let Some((name, _)) = parser.reference_definitions().iter().next() {
            return Some(format!("a definition of {name}"));
        }
        let mut link = None;
        for event in parser {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => return Some(html.into_string()),
                Event::Start(Tag::Image { dest_url, .. }) => {
                    return Some(format!("image {dest_url}"));
                }
                Event::Start(Tag::Link { dest_url, .. }) => {
                    link = Some((dest_url.into_string(), String::new()));
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some((_, says)) = &mut link {
                        says.push_str(&text);
                    }
                }
                Event::End(TagEnd::Link) => {
                    let (to, says) = link.take().unwrap();
                    let scheme = to.split_once(':').map(|(scheme, _)| scheme.to_lowercase());
                    let is_web = matches!(scheme.as_deref(), Some("http" | "https" | "mailto"));
                    let is_mail = !to.contains(':') && says == to && to.contains('@');
                    let is_inside = scheme.is_none()
                        && !to.starts_with("//")
                        && !to.contains(['\\', '\t', '\n']);
                    if !(is_web && says == to || is_mail || is_inside) {
                        return Some(format!("link {to} {says}"));
                    }
                }
                _ => {}
            }
        }
    }
    None
}

fn check(markdown: &str, expect: &str) {
    let shown = inert(markdown);
    assert_eq!(active(&shown), None, "{shown}");
    assert_eq!(shown, expect);
}

#[test]
fn an_image_is_shown_as_what_it_is_and_not_fetched() {
    check("a ![x](https://evil.example/?q=1) b\n", "a ` ![x](https://evil.example/?q=1) ` b\n");
    check("![x](a.png)\n", "` ![x](a.png) `\n");
    check(
        "a ![x][r] b\n\n[r]: http://e.example/p.png\n",
        "a ` ![x][r] ` b\n\n&#91;r]: http://e.example/p.png\n",
    );
    check(
        "[![x](http://a.example/i.png)](http://b.example)\n",
        "` ![x](http://a.example/i.png) ` (<http://b.example>)\n",
    );
}

#[test]
fn html_is_text() {
    check(
        "a <img src=x onerror=y> b <!-- c --> `<d>`\n",
        "a &lt;img src=x onerror=y> b &lt;!-- c --> `<d>`\n",
    );
    check(
        "<details>\n<a href=\"command:x\">y</a>\n</details>\n",
        "&lt;details>\n&lt;a href=\"command:x\">y&lt;/a>\n&lt;/details>\n",
    );
}

#[test]
fn a_link_says_where_it_leads() {
    check(
        "see [the docs](https://e.example/?d=1).\n",
        "see the docs (<https://e.example/?d=1>).\n",
    );
    check(
        "see [`f()`][r].\n\n[r]: https://e.example\n",
        "see `f()` (<https://e.example>).\n\n&#91;r]: https://e.example\n",
    );
    for same in [
        "<https://e.example/a>\n",
        "[https://e.example](https://e.example)\n",
        "[a](src/a.rs#L3)\n",
        "<a@b.example>\n",
    ] {
        check(same, same);
    }
}

#[test]
fn a_command_is_code_in_whatever_writing() {
    for link in [
        "[x](command:a.b)",
        "[x](COMMAND:a.b)",
        "[x](command&colon;a.b)",
        "[x](&#99;ommand:a.b)",
        "[x](command%3Aa.b)",
        "[x](<command:a b>)",
        "[x](vscode://a/b)",
        "[x](file:///etc/passwd)",
        "[x](//evil.example)",
        "<command:a.b>",
        "<vscode:a>",
        "[x](javascript:a)",
        "[x](data:text/html,a)",
        "[x](c\\:d)",
    ] {
        check(&format!("a {link} b\n"), &format!("a ` {link} ` b\n"));
    }
}

#[test]
fn code_stays_as_it_is() {
    let text = "Use `![a](b)`:\n\n```html\n<img src=\"http://a\">\n[x](command:y)\n```\n\n    <b>\n\n- x\n\n  ~~~\n  ![](c)\n  ~~~\n";
    check(text, text);
}

#[test]
fn ordinary_answers_stay_as_they_are() {
    let text = "# Why\n\n1. `a[i]` is [1] *read*, 2 < 3 && 4 > 3.\n2. **No**: `Vec<T>`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] to do\n\n> quote\n";
    check(text, text);
}

#[test]
fn hidden_characters_are_gone() {
    check("[x](com\u{200b}mand:a) \u{202e}b\n", "` [x](command:a) ` b\n");
}

#[test]
fn what_cannot_be_taken_apart_is_shown_whole_as_code() {
    let text = (0..30).map(|n| format!("[a]: x{n}\n\n")).collect::<String>();
    let shown = inert(&text);
    assert!(active(&shown).is_none() && shown.contains("x29"));
}

#[test]
fn hostile_text_of_any_size_is_taken() {
    for piece in [
        "[", "![", "<", "`", "[a](", "![a](b)", "<a>", "[a]: b\n", "*_", "\\`", "> ", "&#", "$$",
        "[[", "| ",
    ] {
        let text = piece.repeat(60_000 / piece.len());
        assert_eq!(active(&inert(&text)), None, "{piece}");
    }
}

/// Pieces of which something active may be made.
fn markdown() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "[",
        "]",
        "(",
        ")",
        "![",
        "](",
        "<",
        ">",
        "`",
        "``",
        "```",
        "~~~",
        "\n",
        "\n\n",
        "    ",
        "\t",
        "> ",
        "- ",
        "\\",
        "!",
        ":",
        "[a]: ",
        "[^1]: ",
        "[^1]",
        "<a href=\"",
        "<img src=x>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<?",
        "]]>",
        "<![CDATA[",
        "command:x",
        "http://a.b",
        "https://evil.example/?q",
        "vscode:",
        "file:///",
        "//h",
        "mailto:a@b.c",
        "a@b.c",
        "x",
        "é",
        " ",
        "|",
        "|-|-|\n",
        "$",
        "$$",
        "*",
        "_",
        "~",
        "~~",
        "&lt;",
        "&#91;",
        "&colon;",
        "%3a",
        "---\n",
        "+++\n",
        "===",
        "# ",
        "[[",
        "]]",
        "\"",
        "'",
        "\u{200b}",
        "\u{202e}",
        "\r\n",
        "\r",
        "{#i}",
        "::: ",
        ": ",
        "^",
        "[x] ",
        "1. ",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_active_however_far_an_answer_has_come(text in markdown()) {
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let shown = inert(&text[..end]);
            prop_assert_eq!(active(&shown), None, "{:?} is {:?}", &text[..end], shown);
        }
    }

    #[test]
    fn nothing_is_active_in_any_text(text in "(?s).{0,200}") {
        prop_assert_eq!(active(&inert(&text)), None);
    }
}
