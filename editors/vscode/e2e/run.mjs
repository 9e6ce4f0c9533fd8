// All tests of VS Code, in this order: `node run.mjs`, by tests/editors/vscode.rs.

import './status.test.mjs';
import './ghost_text.test.mjs';
import './latency.test.mjs';
import './ask.test.mjs';
import './walkthrough.test.mjs';
import './crash.test.mjs';
import './closing.test.mjs';
