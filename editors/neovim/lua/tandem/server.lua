--- The server's configuration, as `lsp/tandem.lua` gives it to `vim.lsp.config` and as 0.10 starts it.
---
--- In: our configuration. Out: a `vim.lsp.Config`. Refuses buffers that are no files: those of other
--- schemes (`fugitive://`), and what the server shows of its own. Those without a name stay: one writes there.

local answer = require('tandem.answer')
local config = require('tandem.config')
local state = require('tandem.state')

local M = {}

--- Asks a person for a line of text, however their Neovim does that.
local function input(_, params)
  local thread = coroutine.running()
  vim.ui.input({ prompt = params.prompt .. ' ', default = params.value or '' }, function(line)
    -- It may be called before the yield below.
    vim.schedule(function()
      coroutine.resume(thread, line or vim.NIL)
    end)
  end)
  return coroutine.yield()
end

--- A question with buttons is about what was opened just before, so that it must be on the screen.
local function choose(...)
  vim.cmd.redraw()
  return vim.lsp.handlers['window/showMessageRequest'](...)
end

--- Says what the server says, as Neovim does, but where notifications of the user's go. What the command line
--- still shows is drawn over first, so that one line needs no key.
local function say(_, params)
  -- LSP's types are 1 for an error, 2 for a warning, 3 for the rest.
  local levels = { vim.log.levels.ERROR, vim.log.levels.WARN }
  vim.cmd.redraw()
  vim.notify(params.message, levels[params.type] or vim.log.levels.INFO)
end

local function hear(_, status, context)
  state.hear(status, context.client_id)
end

--- Whether a buffer is one that a person writes a file in.
---@param buffer integer
---@return boolean
function M.serves(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  return vim.bo[buffer].buftype == '' and not name:match('^%a[%w+.-]+:') and not answer.is_paper(buffer)
end

---@param buffer integer
---@param on_dir fun(root?: string)
function M.root(buffer, on_dir)
  if M.serves(buffer) and not require('tandem.start').has_given_up() then
    on_dir(vim.fs.root(buffer, config.get().root_markers))
  end
end

local function capabilities()
  local ours = {
    -- Before 0.12 Neovim does not say it, and we draw it.
    textDocument = { inlineCompletion = { dynamicRegistration = false } },
    workspace = { textDocumentContent = { dynamicRegistration = false } },
    experimental = { tandemInput = true, tandemStatus = true },
  }
  local made = vim.lsp.protocol.make_client_capabilities()
  if not config.get().ghost_text then
    -- From 0.12 on Neovim says it by itself; without it there are entries in the menu.
    ours.textDocument, made.textDocument.inlineCompletion = nil, nil
  end
  return vim.tbl_deep_extend('force', made, ours)
end

---@return vim.lsp.Config
function M.config()
  local chosen = config.get()
  -- Lua's empty table would be sent as a list.
  local settings = next(chosen.settings) and chosen.settings or vim.empty_dict()
  return {
    name = 'tandem',
    cmd = chosen.cmd,
    filetypes = chosen.filetypes,
    root_dir = M.root,
    capabilities = capabilities(),
    settings = { tandem = settings },
    init_options = settings,
    -- Ours waits for no key: what is typed is sent with the question.
    flags = { debounce_text_changes = 50 },
    handlers = {
      ['tandem/input'] = input,
      ['tandem/status'] = hear,
      ['window/showDocument'] = answer.show,
      ['window/showMessage'] = say,
      ['window/showMessageRequest'] = choose,
      ['workspace/textDocumentContent/refresh'] = answer.refresh,
    },
    on_exit = function(code, signal, client)
      require('tandem.start').ended(code, signal, client)
    end,
  }
end

return M
