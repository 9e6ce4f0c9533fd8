// A window where all is well, to be changed by a test.

import type { Facts, ServerStatus } from "../src/facts";

export function facts(change: Partial<Facts> = {}, server: Partial<ServerStatus> = {}): Facts {
    return {
        program: { kind: "running" },
        server: { state: "ready", model: "qwen.gguf", disabledLanguages: [], ...server },
        phase: "",
        here: { language: "rust", name: "Rust", served: true },
        enabled: { value: true, by: "nobody" },
        workspace: true,
        disabledLanguages: [],
        paused: false,
        ghostText: true,
        ...change,
    };
}
