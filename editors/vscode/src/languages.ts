// A language's id → what a person calls it, where VS Code does not tell: `typescriptreact` is on no menu.
// Knows nothing of VS Code.

/** Those whose name is not their id with a capital letter. */
const NAMES: Readonly<Record<string, string>> = {
    c: "C",
    cpp: "C++",
    csharp: "C#",
    css: "CSS",
    fsharp: "F#",
    html: "HTML",
    javascript: "JavaScript",
    javascriptreact: "JavaScript (JSX)",
    json: "JSON",
    jsonc: "JSON with comments",
    latex: "LaTeX",
    "objective-c": "Objective-C",
    "objective-cpp": "Objective-C++",
    php: "PHP",
    plaintext: "plain text",
    r: "R",
    scss: "SCSS",
    shellscript: "shell scripts",
    sql: "SQL",
    toml: "TOML",
    typescript: "TypeScript",
    typescriptreact: "TypeScript (TSX)",
    vb: "Visual Basic",
    xml: "XML",
    yaml: "YAML",
};

/** `rust` → `Rust`. */
export function languageName(id: string): string {
    return NAMES[id] ?? id.charAt(0).toUpperCase() + id.slice(1);
}
