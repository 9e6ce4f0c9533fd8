--- Configuration: `vim.g.tandem` or `require('tandem').setup{}`, both optional, the second one wins.
---
--- In: tables of the user's. Out: one whole configuration. Refuses keys that it does not know, by saying
--- so once; the rest holds. Settings of the server (`settings`) are checked by the server.

local M = {}

--- Keys in insert mode; `false` maps none.
---@class tandem.Keys
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field next string|false
---@field previous string|false
---@field trigger string|false
---@field dismiss string|false

---@class tandem.Config
---@field cmd string[] The server's command
---@field autostart boolean Start in files of `filetypes`; else `vim.lsp.enable('tandem')` does
---@field filetypes string[]
---@field root_markers string[]
---@field settings table What the server calls `tandem.…`, see its settings
---@field ghost_text 'auto'|'native'|'own'|false Who draws; 'auto' is Neovim's own from 0.12 on
---@field debounce_ms integer Our own ghost text waits so long for the next key before it asks
---@field hide_with_menu boolean Our own ghost text hides while a menu is open
---@field keys tandem.Keys|false
---@field restarts integer How often a server that crashed is started again within ten minutes

---@type tandem.Config
local DEFAULTS = {
  cmd = { 'tandem', 'serve' },
  autostart = true,
  -- stylua: ignore
  filetypes = {
    'ada', 'asm', 'astro', 'awk', 'bash', 'bzl', 'c', 'clojure', 'cmake', 'cobol', 'cpp', 'crystal', 'cs', 'css',
    'cuda', 'd', 'dart', 'dockerfile', 'elixir', 'elm', 'erlang', 'fish', 'fortran', 'fsharp', 'gleam', 'glsl',
    'go', 'gomod', 'graphql', 'groovy', 'haskell', 'hcl', 'html', 'htmldjango', 'java', 'javascript',
    'javascriptreact', 'json', 'jsonc', 'julia', 'kotlin', 'less', 'lisp', 'lua', 'make', 'markdown', 'matlab',
    'meson', 'nim', 'nix', 'objc', 'objcpp', 'ocaml', 'odin', 'pascal', 'perl', 'php', 'powershell', 'prolog',
    'proto', 'ps1', 'purescript', 'python', 'r', 'racket', 'rescript', 'ruby', 'rust', 'sass', 'scala', 'scheme',
    'scss', 'sh', 'solidity', 'sql', 'svelte', 'swift', 'systemverilog', 'tcl', 'terraform', 'tex', 'toml',
    'typescript', 'typescriptreact', 'typst', 'v', 'verilog', 'vhdl', 'vim', 'vue', 'wgsl', 'xml', 'yaml', 'zig',
    'zsh',
  },
  -- stylua: ignore
  root_markers = {
    '.git', '.hg', '.jj', 'Cargo.toml', 'go.mod', 'package.json', 'pyproject.toml', 'setup.py', 'CMakeLists.txt',
    'pom.xml', 'build.gradle', 'build.gradle.kts',
  },
  settings = {},
  ghost_text = 'auto',
  debounce_ms = 10,
  hide_with_menu = false,
  keys = {
    accept = '<Tab>',
    accept_word = '<C-Right>',
    accept_line = '<M-C-Right>',
    next = '<M-]>',
    previous = '<M-[>',
    trigger = '<M-Bslash>',
    dismiss = '<C-]>',
  },
  restarts = 3,
}

---@type table? What `setup` was given
local given
---@type tandem.Config?
local whole
---@type string[] What is wrong with it, for `:checkhealth`
M.problems = {}

--- Takes `given` over `defaults`. Lists are replaced as a whole.
local function merge(defaults, changes, path)
  local merged = vim.deepcopy(defaults)
  for key, value in pairs(changes) do
    local default = defaults[key]
    local name = path .. tostring(key)
    if default == nil then
      table.insert(M.problems, ('there is no setting %s'):format(name))
    elseif key == 'keys' and type(value) == 'table' then
      merged.keys = merge(default, value, name .. '.')
    elseif value == false and (path == 'keys.' or key == 'keys' or key == 'ghost_text') then
      merged[key] = false
    elseif type(value) ~= type(default) then
      local words = '%s should be a %s, and is a %s'
      table.insert(M.problems, words:format(name, type(default), type(value)))
    else
      merged[key] = vim.deepcopy(value)
    end
  end
  return merged
end

--- The configuration that holds.
---@return tandem.Config
function M.get()
  if not whole then
    M.problems = {}
    local global = type(vim.g.tandem) == 'table' and vim.g.tandem or {}
    whole = merge(merge(DEFAULTS, global, ''), given or {}, '')
    if not vim.tbl_contains({ 'auto', 'native', 'own', false }, whole.ghost_text) then
      table.insert(M.problems, "ghost_text is 'auto', 'native', 'own' or false")
      whole.ghost_text = 'auto'
    end
    if #M.problems > 0 then
      vim.notify_once('tandem: ' .. table.concat(M.problems, '; '), vim.log.levels.WARN)
    end
  end
  return whole
end

--- Called by `setup`. Servers that run keep what they were started with.
---@param changes? table
function M.set(changes)
  given, whole = changes, nil
end

--- Whether Neovim's own ghost text is used.
---@return boolean
function M.is_native()
  local wanted = M.get().ghost_text
  return (wanted == 'auto' or wanted == 'native') and vim.lsp.inline_completion ~= nil
end

return M
