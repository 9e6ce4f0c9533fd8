#!/usr/bin/env python3
"""Makes languages.toml for people who use Helix with tandem.

In: the languages.toml of two versions of Helix, and the versions. Out, on standard output: for each
programming language the list of servers that the newer Helix has by itself, with tandem behind them. A
list of one's own replaces Helix's whole list, so it must be said again. What the older Helix does not
know is there as comments: one unknown language, and Helix ignores the whole file. Refuses what is no
language to program in, but for Markdown, which answers are written in: what is listed in OTHERS would be
prose, data, or files that hold secrets.

    python3 editors/helix/generate.py NEWER/languages.toml 25.07.1 OLDER/languages.toml 25.01.1 \
        > editors/helix/languages.toml
    python3 editors/helix/generate.py --check editors/helix/languages.toml NEWER/languages.toml

For one version of Helix alone, name it twice. Python 3.11 or newer; its standard library reads TOML.
"""

import json
import re
import sys
import tomllib

# Features that tandem has. The others are not asked of it, so that it is never in the way of the
# language's own server.
TANDEM = '{ name = "tandem", only-features = ["completion", "code-action", "workspace-command"] }'

# Questions to Claude and its answers are Markdown files, with things to choose on them. No suggestions in
# prose.
PAPERS = "markdown"
TANDEM_ON_PAPERS = '{ name = "tandem", only-features = ["code-action", "workspace-command"] }'

# In Helix's list, and not programs: prose, data, settings, what tools write, parts of other languages.
OTHERS = set(
    """
    beancount bibtex blueprint bovex caddyfile cel comment cpon cross-config csv cylc dbml debian devicetree
    diff djot doxyfile drools dtd dunstrc ebnf edoc env esdl fga flatbuffers fidl gemini gherkin ghostty
    git-attributes git-cliff-config git-commit git-config git-ignore git-notes git-rebase go-format-string
    gomod gowork hocon hosts hyprlang ini iex jjconfig jjdescription jjrevset jjtemplate jsdoc json json-ld
    json5 jsonc kconfig kdl klog ldif ledger llvm-mir-yaml log lpf lua-format-string mail markdoc
    markdown-rustdoc markdown.inline metamath miseconfig msbuild nearley nestedtext nginx ohm org passwd pem
    pip-requirements po pod properties proverif qmv regex robots.txt ron rpmspec rst rust-format-args
    rust-format-args-macro scfg sgf shellcheckrc spicedb ssh_client_config strace strictdoc styx sway
    systemd t32 tablegen task textproto todotxt toml tsq ungrammar vhs wikitext
    xit xml xtc xwiki yaml yara
    """.split()
)


def key(name):
    """A name as TOML writes it."""
    return json.dumps(name, ensure_ascii=False)


def value(server):
    """An entry of a list of servers as TOML writes it."""
    if isinstance(server, str):
        return key(server)
    parts = []
    for name, it in server.items():
        parts.append(f"{name} = {json.dumps(it, ensure_ascii=False)}")
    return "{ " + ", ".join(parts) + " }"


def endings(language):
    return {it for it in language.get("file-types", []) if isinstance(it, str)}


def taken_from(language, later):
    """Which languages behind it in Helix's list share one of its file endings, and which endings."""
    for other in later:
        shared = sorted(endings(language) & endings(other))
        if shared:
            yield f".{', .'.join(shared)} ({other['name']})"


def piece(language, later):
    servers = [value(server) for server in language.get("language-servers", [])]
    lines = ["[[language]]", f"name = {key(language['name'])}"]
    shared = "; ".join(taken_from(language, later))
    if shared:
        lines.insert(0, f"# Takes endings from another language that is not in your file: {shared}.")
    tandem = TANDEM_ON_PAPERS if language["name"] == PAPERS else TANDEM
    lines.append(f"language-servers = [{', '.join([*servers, tandem])}]")
    return "\n".join(lines)


HEAD = """\
# tandem in Helix {version}, for every programming language that it knows, and for Markdown, in which
# Claude's answers are: {count} of them, the last {new} as comments. Made by editors/helix/generate.py from
# Helix's own lists; not written by hand.
#
# Copy the whole file to ~/.config/helix/languages.toml, or the server below and your languages' pieces
# into the one that you have. Each piece says Helix's own servers again, because a list of your own
# replaces Helix's. Of equal entries in the menu, those of the server that is last in the list come first.

[language-server.tandem]
command = "tandem"
args = ["serve"]"""

NEW = """\
# The rest is since Helix {older}. Helix ignores this whole file if it does not know a language in it, so
# take the marks from those that `hx --health languages` lists."""


def commented(text):
    return "\n".join(line if line.startswith("#") else f"# {line}" for line in text.split("\n"))


def read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)["language"]


def generate(path, version, older, older_version):
    languages = read(path)
    known = {it["name"] for it in read(older)}
    pieces, new = [], []
    for number, language in enumerate(languages):
        if language["name"] in OTHERS:
            continue
        it = piece(language, languages[number + 1 :])
        if language["name"] in known:
            pieces.append(it)
        else:
            new.append(commented(it))
    head = HEAD.format(version=version, count=len(pieces) + len(new), new=len(new))
    if new:
        new.insert(0, NEW.format(older=older_version))
    return "\n\n".join([head, *pieces, *new]) + "\n"


def check(ours, helix):
    """What is wrong with a generated file, as sentences. The comments in it are checked too."""
    with open(ours, encoding="utf-8") as file:
        text = file.read()
    tomllib.loads(text)
    before, mark, behind = text.partition(NEW.split("{", maxsplit=1)[0])
    behind = re.sub(r"^# (?=\[\[|name = |language-servers = )", "", behind, flags=re.MULTILINE)
    ours = tomllib.loads(before + mark + behind)["language"]
    defaults = {it["name"]: it.get("language-servers", []) for it in read(helix)}
    for language in ours:
        name, servers = language["name"], language["language-servers"]
        if name not in defaults:
            yield f"{name}: Helix does not know it"
        elif servers[:-1] != defaults[name]:
            yield f"{name}: Helix has {defaults[name]}, this file {servers[:-1]}"
        if not isinstance(servers[-1], dict) or servers[-1].get("name") != "tandem":
            yield f"{name}: tandem is not the last"
    missing = set(defaults) - {it["name"] for it in ours} - OTHERS
    if missing:
        yield f"not in the file: {', '.join(sorted(missing))}"


def main(arguments):
    match arguments:
        case ["--check", ours, helix]:
            problems = list(check(ours, helix))
            print("\n".join(problems), end="\n" if problems else "")
            return 1 if problems else 0
        case [helix, version, older, older_version]:
            print(generate(helix, version, older, older_version), end="")
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
