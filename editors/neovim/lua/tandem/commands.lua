--- `:LspTandem…`, in buffers that our server serves.
---
--- In: a command line. Out: requests to the server, and what it answers as a message. Refuses to download
--- anything before a person has said yes.

local clients = require('tandem.client')
local state = require('tandem.state')

local M = {}

--- The range that a command was given, or the cursor, in the protocol's positions.
local function place(arguments, client)
  if arguments.range == 0 then
    local at = vim.lsp.util.make_position_params(0, client.offset_encoding)
    return { start = at.position, ['end'] = at.position }
  end
  -- Within the lines of a selection its columns hold, if it was made by characters.
  local first, last = vim.api.nvim_buf_get_mark(0, '<'), vim.api.nvim_buf_get_mark(0, '>')
  if vim.fn.visualmode() ~= 'v' or first[1] ~= arguments.line1 or last[1] ~= arguments.line2 then
    local line = vim.api.nvim_buf_get_lines(0, arguments.line2 - 1, arguments.line2, false)[1] or ''
    first, last = { arguments.line1, 0 }, { arguments.line2, math.max(#line - 1, 0) }
  end
  return vim.lsp.util.make_given_range_params(first, last, 0, client.offset_encoding).range
end

--- Asks Claude; with `!` for a change of the text.
---@param arguments { args: string, bang: boolean, range: integer, line1: integer, line2: integer }
function M.ask(arguments)
  local client = clients.of()
  clients.run('tandem.ask', {
    uri = vim.uri_from_bufnr(0),
    range = client and place(arguments, client),
    kind = arguments.bang and 'change' or 'ask',
    question = arguments.args,
  })
end

--- What the server is doing and has done, in a few lines.
function M.status()
  clients.run('tandem.status', nil, function(status)
    local engine = status.engine or {}
    local lines = {
      ('tandem %s: %s'):format(status.version, state.words()),
      ('model: %s'):format(status.model ~= vim.NIL and status.model or 'none is loaded'),
      ('engine: %s'):format(type(engine) == 'table' and engine.state or tostring(engine)),
    }
    local latency = status.latency_ms or {}
    local asked = '%d asked for, %d answered without the model, p50 %.0f ms'
    local requests, quick = status.requests or 0, status.answered_without_model or 0
    table.insert(lines, asked:format(requests, quick, latency.p50 or 0))
    local taken = '%d shown, %d accepted, %d in part'
    local shown, accepted, part = status.shown or 0, status.accepted or 0, status.accepted_in_part or 0
    table.insert(lines, taken:format(shown, accepted, part))
    vim.notify(table.concat(lines, '\n'))
  end)
end

--- Downloads a model, if a person says yes.
---@param name? string
function M.pull(name)
  local what = name and name ~= '' and name or 'the default model, about 500 MB'
  local question = ('tandem: download %s?'):format(what)
  if vim.fn.confirm(question, '&Download\n&Cancel', 2) == 1 then
    state.show_download()
    clients.run('tandem.pull', name ~= '' and name or nil)
  end
end

--- What was suggested and kept, and what asking cost, in a window.
function M.stats()
  local client = clients.of()
  local cmd = client and client.config.cmd
  local program = type(cmd) == 'table' and cmd[1] or require('tandem.config').get().cmd[1]
  local ran = vim.system({ program, 'stats' }, { text = true }):wait(10000)
  local said = ran.code == 0 and ran.stdout or ran.stderr
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, vim.split(vim.trim(said or ''), '\n'))
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].bufhidden = 'wipe'
  vim.cmd('belowright split')
  vim.api.nvim_win_set_buf(0, buffer)
end

--- Defines them in a buffer.
---@param buffer integer
function M.define(buffer)
  local function define(name, run, options)
    vim.api.nvim_buf_create_user_command(buffer, 'LspTandem' .. name, run, options)
  end
  define('Ask', M.ask, { nargs = '*', range = true, bang = true, desc = 'Ask Claude, after a look' })
  define('Cancel', function()
    clients.run('tandem.cancel')
  end, { desc = 'Stop asking Claude' })
  define('Toggle', function()
    clients.run('tandem.toggle')
  end, { desc = 'Suggestions on or off' })
  define('Status', M.status, { desc = 'What the server does and has done' })
  define('Pull', function(arguments)
    M.pull(arguments.args)
  end, { nargs = '?', desc = 'Download a model, after a yes' })
  define('Stats', M.stats, { desc = 'What was suggested and kept' })
  define('Restart', function()
    require('tandem.start').restart()
  end, { desc = 'Start the server anew' })
end

return M
