--- Starts servers, and starts them again when they crash.
---
--- In: files that are opened, servers that end. Out: servers attached, ghost text and keys with them.
--- Refuses to say more than once in a session that there is no `tandem`, and to start one again for ever.

local clients = require('tandem.client')
local commands = require('tandem.commands')
local config = require('tandem.config')
local ghost = require('tandem.ghost')
local keys = require('tandem.keys')
local server = require('tandem.server')
local state = require('tandem.state')

local M = {}

-- 0.11 has `vim.lsp.enable` and `vim.lsp.config`.
local ENABLES = vim.lsp.config ~= nil
--- Crashes are counted for so long.
local MEMORY_S = 600
--- A crash is followed by a start after so many milliseconds, each time as much more.
local PAUSE_MS = 500

---@type integer[] when servers crashed, in seconds
local crashes = {}
---@type table<integer, table<integer, boolean>> buffers that a client served, by client
local served = {}
---@type table<integer, boolean> clients that a person has stopped
local stopped = {}
local watches = false

--- The server's configuration, with the user's over ours.
local function resolved()
  return ENABLES and vim.lsp.config.tandem or server.config()
end

--- Why no server can be started, if so.
---@return string?
function M.problem()
  local cmd = resolved().cmd
  local program = type(cmd) == 'table' and cmd[1] or nil
  if program and vim.fn.executable(program) == 0 then
    return ('`%s` is not to be found. Install tandem, or set `vim.g.tandem = { cmd = { … } }`'):format(
      program
    )
  end
end

--- Starts a server for a buffer, or attaches the one that runs.
---@param buffer integer
function M.start(buffer)
  local chosen = vim.deepcopy(resolved())
  local function start(root)
    chosen.root_dir = root
    vim.lsp.start(chosen, { bufnr = buffer, reuse_client = chosen.reuse_client })
  end
  if type(chosen.root_dir) == 'function' then
    chosen.root_dir(buffer, start)
  else
    start(chosen.root_dir)
  end
end

local function attached(client, buffer)
  served[client.id] = served[client.id] or {}
  served[client.id][buffer] = true
  commands.define(buffer)
  keys.map()
  ghost.attach(client, buffer)
end

--- Follows what our clients do. Harmless when repeated.
function M.watch()
  if watches then
    return
  end
  watches = true
  local group = vim.api.nvim_create_augroup('tandem', { clear = true })
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'tandem' then
        attached(client, event.buf)
      else
        ghost.joined(event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'tandem' then
        ghost.detach(event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd('ColorScheme', {
    group = group,
    callback = require('tandem.ghost.drawing').highlight,
  })
end

--- A file was opened.
local function opened(buffer)
  if not server.serves(buffer) then
    return
  end
  local problem = M.problem()
  if problem then
    vim.notify_once('tandem: ' .. problem .. '. More: `:checkhealth tandem`.', vim.log.levels.WARN)
  elseif not ENABLES then
    M.start(buffer)
  end
end

--- Begins, as the plugin is loaded.
function M.begin()
  M.watch()
  local chosen = config.get()
  if not chosen.autostart then
    return
  end
  vim.api.nvim_create_autocmd('FileType', {
    group = 'tandem',
    pattern = chosen.filetypes,
    callback = function(event)
      opened(event.buf)
    end,
  })
  if vim.v.vim_did_enter == 1 then
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      local is_ours = vim.tbl_contains(chosen.filetypes, vim.bo[buffer].filetype)
      if is_ours and vim.api.nvim_buf_is_loaded(buffer) then
        opened(buffer)
      end
    end
  end
  if ENABLES then
    vim.lsp.enable('tandem')
  end
end

local function start_again(buffers)
  for buffer in pairs(buffers) do
    if vim.api.nvim_buf_is_loaded(buffer) and not clients.of(buffer) then
      M.start(buffer)
    end
  end
end

--- `:LspTandemRestart`: ends what runs and starts anew, also after too many crashes.
function M.restart()
  crashes = {}
  local buffers = { [vim.api.nvim_get_current_buf()] = true }
  for _, client in ipairs(vim.lsp.get_clients({ name = 'tandem' })) do
    buffers = vim.tbl_extend('force', buffers, served[client.id] or {})
    stopped[client.id] = true
    clients.call(client, 'stop', true)
  end
  -- Those that end are still attached for a moment.
  vim.wait(2000, function()
    return #vim.lsp.get_clients({ name = 'tandem' }) == 0
  end, 20)
  start_again(buffers)
end

--- Whether it has crashed too often: the next file that is opened must not start it once more.
---@return boolean
function M.has_given_up()
  return #crashes > config.get().restarts
end

--- A server has ended, for whatever reason.
---@param code integer
---@param signal integer
---@param client integer
function M.ended(code, signal, client)
  vim.schedule(function()
    local buffers = served[client] or {}
    served[client] = nil
    state.forget(client)
    local is_exiting = vim.v.exiting ~= vim.NIL
    -- 15 is how Neovim stops one that does not end by itself.
    local crashed = code ~= 0 or (signal ~= 0 and signal ~= 15)
    if is_exiting or stopped[client] or not crashed then
      return
    end
    local now = os.time()
    crashes = vim.tbl_filter(function(when)
      return now - when < MEMORY_S
    end, crashes)
    table.insert(crashes, now)
    if #crashes > config.get().restarts then
      local words = 'tandem: the server has crashed %d times. `:LspTandemRestart` starts it again'
      vim.notify(words:format(#crashes), vim.log.levels.ERROR)
      return
    end
    vim.defer_fn(function()
      start_again(buffers)
    end, PAUSE_MS * #crashes)
  end)
end

return M
