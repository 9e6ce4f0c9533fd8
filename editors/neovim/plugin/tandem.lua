--- Begins: sourced by Neovim from the runtime path.
---
--- In: `vim.g.tandem`; `false` for nothing at all. Out: a server for each file that is one of ours. Refuses
--- Neovim before 0.10 with one message.

if vim.g.loaded_tandem or vim.g.tandem == false then
  return
end
vim.g.loaded_tandem = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify_once('tandem needs Neovim 0.10 or later', vim.log.levels.WARN)
  return
end

local function begin()
  require('tandem.start').begin()
end

-- A plugin manager that loads us late calls `setup` right after this.
if vim.v.vim_did_enter == 1 then
  vim.schedule(begin)
else
  begin()
end
