--- How the server is, for statuslines: what `tandem/status` last said of each client.
---
--- In: the server's notification. Out: words, a table, and the event `User TandemStatus` at each change.
--- Refuses to say the same trouble twice in a session.

local clients = require('tandem.client')

local M = {}

---@class tandem.Status
---@field state 'asleep'|'starting'|'loading'|'ready'|'working'|'downloading'|'no_model'|'failed'|'off'
---@field percent? integer
---@field message? string
---@field model? string
---@field disabledLanguages string[]

---@type table<integer, tandem.Status> by client
local told = {}
---@type table<string, boolean> troubles that were said
local said = {}
--- Whether a person has asked for a download and sees how far it is.
local shows_download = false

local WORDS = {
  asleep = 'tandem',
  ready = 'tandem',
  working = 'tandem …',
  starting = 'tandem starts',
  loading = 'tandem loads',
  downloading = 'tandem downloads',
  no_model = 'tandem: no model',
  failed = 'tandem: failed',
  off = 'tandem off',
}

--- A buffer's status; nil where no server runs.
---@param buffer? integer
---@return tandem.Status?
function M.of(buffer)
  local client = clients.of(buffer)
  return client and told[client.id]
end

--- A buffer's status in a word or two; empty where no server runs.
---@param buffer? integer
---@return string
function M.words(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  local client = clients.of(buffer)
  if not client then
    return ''
  end
  local status = told[client.id]
  if not status then
    return WORDS.starting
  end
  if vim.tbl_contains(status.disabledLanguages or {}, vim.bo[buffer].filetype) then
    return WORDS.off
  end
  local words = WORDS[status.state] or 'tandem'
  return status.percent and ('%s %d%%'):format(words, status.percent) or words
end

--- A download that a person asked for is followed in the message line.
function M.show_download()
  shows_download = true
end

local function follow_download(status)
  if status.state == 'downloading' then
    local words = ('tandem: downloading the model, %d %%'):format(status.percent or 0)
    vim.api.nvim_echo({ { words } }, false, {})
  elseif status.state ~= 'no_model' then
    shows_download = false
  end
end

--- The handler of `tandem/status`.
---@param status tandem.Status
---@param client integer
function M.hear(status, client)
  told[client] = status
  if shows_download then
    follow_download(status)
  end
  -- Every other trouble the server says itself.
  local trouble = status.state == 'no_model' and status.message
  if trouble and not said[trouble] then
    said[trouble] = true
    vim.notify('tandem: ' .. trouble .. '\n:LspTandemPull downloads one.', vim.log.levels.WARN)
  end
  vim.api.nvim_exec_autocmds('User', { pattern = 'TandemStatus', modeline = false, data = status })
  vim.cmd.redrawstatus({ bang = true })
end

--- The server is gone.
---@param client integer
function M.forget(client)
  told[client] = nil
  vim.cmd.redrawstatus({ bang = true })
end

return M
