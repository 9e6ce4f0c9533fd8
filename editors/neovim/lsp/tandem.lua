--- For `vim.lsp.enable('tandem')`, Neovim 0.11 and later. What is in it: `lua/tandem/server.lua`.
---
--- In: the configuration of the plugin. Out: a `vim.lsp.Config`, over which `vim.lsp.config('tandem', {…})`
--- goes as usual. Refuses nothing.

require('tandem.start').watch()

---@type vim.lsp.Config
return require('tandem.server').config()
