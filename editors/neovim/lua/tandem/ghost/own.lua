--- Our own ghost text: asks the server with each key, keeps what is typed along, cycles.
---
--- For Neovim 0.10 and 0.11, and on 0.12 while a person takes a suggestion in pieces or has asked for it.
--- In: the events of insert mode. Out: requests, and a drawing. Refuses answers to anything but the last
--- request; outside insert mode, in a macro that runs, and in buffers without our server it does nothing.

local clients = require('tandem.client')
local config = require('tandem.config')
local drawing = require('tandem.ghost.drawing')
local menu = require('tandem.menu')
local text = require('tandem.text')

local M = {}

local METHOD = 'textDocument/inlineCompletion'
-- LSP 3.18, InlineCompletionTriggerKind.
local INVOKED, AUTOMATIC = 1, 2

--- What is shown: there is one cursor, so there is one.
---@type { buffer: integer, suggestions: tandem.Suggestion[], index: integer, invoked: boolean }?
local shown
---@type { client: integer, request: integer }?
local waiting
--- Counts requests, so that an answer knows whether it is the last one's.
local generation = 0
--- Where the last automatic request was made, since a key comes as two events.
local asked_at = ''
---@type uv.uv_timer_t?
local timer

local function cursor()
  local at = vim.api.nvim_win_get_cursor(0)
  return at[1] - 1, at[2]
end

local function line_of(buffer, row)
  return vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
end

local function stop_timer()
  if timer then
    timer:stop()
  end
end

local function cancel()
  stop_timer()
  generation = generation + 1
  local client = waiting and vim.lsp.get_client_by_id(waiting.client)
  if client then
    clients.call(client, 'cancel_request', waiting.request)
  end
  waiting = nil
end

--- What is shown, if it still fits: the suggestion, the text to come, the column that it replaces up to.
---@return tandem.Suggestion? suggestion, string? rest, integer? stop
local function current()
  if not shown or shown.buffer ~= vim.api.nvim_get_current_buf() then
    return nil
  end
  local suggestion = shown.suggestions[shown.index]
  local row, column = cursor()
  if suggestion.row ~= row then
    return nil
  end
  local rest, stop = text.fit(suggestion, line_of(shown.buffer, row), column)
  if not rest or rest == '' then
    return nil
  end
  return suggestion, rest, stop
end

--- Draws what still fits; says whether something does.
local function draw()
  local suggestion, rest, stop = current()
  if not shown or not suggestion or not rest then
    return false
  end
  if config.get().hide_with_menu and menu.is_open() then
    drawing.clear(shown.buffer)
    return true
  end
  local row, column = cursor()
  local replaced = line_of(shown.buffer, row):sub(column + 1, stop)
  local count = shown.invoked and #shown.suggestions > 1
  local words = count and ('%d/%d'):format(shown.index, #shown.suggestions) or nil
  drawing.draw(shown.buffer, row, column, rest, replaced, words)
  return true
end

local function hide()
  if shown then
    drawing.clear(shown.buffer)
    shown = nil
  end
end

--- The server's items as suggestions.
local function read(items, buffer, row, column, encoding)
  local line = line_of(buffer, row)
  local function suggestion(item)
    local range = item.range
    -- A snippet has nothing to do here: its text is not what would be inserted.
    if type(item.insertText) ~= 'string' or (range and range.start.line ~= row) then
      return nil
    end
    return {
      text = item.insertText:gsub('\r\n', '\n'),
      row = row,
      start = range and text.byte_of(line, range.start.character, encoding) or column,
      stop = range and text.byte_of(line, range['end'].character, encoding) or column,
      cursor = column,
      after = line:sub(column + 1),
      command = item.command,
    }
  end
  local suggestions = {}
  for _, item in ipairs(items) do
    table.insert(suggestions, suggestion(item))
  end
  return suggestions
end

--- Asks. `done` is told how many suggestions came, once they are shown.
---@param kind 1|2
---@param done? fun(count: integer)
local function ask(kind, done)
  cancel()
  local buffer = vim.api.nvim_get_current_buf()
  local client = clients.of(buffer)
  if not client then
    return
  end
  local mine = generation
  local row, column = cursor()
  local before = line_of(buffer, row)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = kind }
  local sent, request = clients.call(client, 'request', METHOD, params, function(problem, result)
    if mine ~= generation then
      return
    end
    waiting = nil
    -- Nothing at all means that a newer question came.
    if problem or not result or not M.is_insert() then
      return
    end
    -- Nothing has come since that was not a key, and with a key the generation is another.
    if vim.api.nvim_get_current_buf() ~= buffer or line_of(buffer, row) ~= before then
      return
    end
    local suggestions = read(result.items or result, buffer, row, column, client.offset_encoding)
    hide()
    if #suggestions > 0 then
      shown = { buffer = buffer, suggestions = suggestions, index = 1, invoked = kind == INVOKED }
      draw()
    end
    if done then
      done(#suggestions)
    end
  end, buffer)
  if sent and request then
    waiting = { client = client.id, request = request }
  end
end

--- Whether keys insert text now.
function M.is_insert()
  return vim.api.nvim_get_mode().mode:sub(1, 1) == 'i'
end

--- Something was typed, or the cursor moved: what was shown stays if it still fits.
function M.moved()
  if not M.is_insert() or vim.fn.reg_executing() ~= '' then
    return
  end
  local row, column = cursor()
  local buffer = vim.api.nvim_get_current_buf()
  local here = ('%d %d %d %d'):format(buffer, vim.b.changedtick, row, column)
  if draw() then
    -- What is on its way was asked before this key.
    cancel()
    asked_at = here
    return
  end
  hide()
  if here == asked_at then
    return
  end
  asked_at = here
  cancel()
  timer = timer or vim.uv.new_timer()
  timer:start(config.get().debounce_ms, 0, function()
    vim.schedule(function()
      if M.is_insert() and vim.api.nvim_get_current_buf() == buffer then
        ask(AUTOMATIC)
      end
    end)
  end)
end

--- Insert mode is over, or a person does not want it.
function M.dismiss()
  cancel()
  hide()
end

--- Insert mode is over: the same place is asked about again when it begins anew.
function M.left()
  asked_at = ''
  M.dismiss()
end

--- A person asks: up to three suggestions come, if the server has so many.
---@param done? fun(count: integer)
function M.trigger(done)
  stop_timer()
  ask(INVOKED, done or function(count)
    if count == 0 then
      vim.api.nvim_echo({ { 'tandem: nothing to suggest here' } }, false, {})
    end
  end)
end

--- Shows another of the suggestions. One that came by itself is alone: then the server is asked for more.
---@param step integer
function M.cycle(step)
  if not shown or not current() then
    return M.trigger()
  end
  if not shown.invoked then
    return M.trigger(function(count)
      if count > 1 then
        M.cycle(step)
      end
    end)
  end
  shown.index = (shown.index - 1 + step) % #shown.suggestions + 1
  draw()
end

function M.is_visible()
  return current() ~= nil and not (config.get().hide_with_menu and menu.is_open())
end

--- Shows a suggestion that something else had.
---@param buffer integer
---@param suggestion tandem.Suggestion
function M.adopt(buffer, suggestion)
  cancel()
  shown = { buffer = buffer, suggestions = { suggestion }, index = 1, invoked = false }
end

--- Puts a piece of what is shown into the text; says whether there was something.
---@param piece 'all'|'word'|'line'
---@return boolean
function M.accept(piece)
  local suggestion, rest, stop = current()
  if not shown or not suggestion or not rest or not stop then
    return false
  end
  local buffer = shown.buffer
  local row, column = cursor()
  local taken = text.piece(rest, piece)
  local whole = taken == rest
  cancel()
  drawing.clear(buffer)
  local lines = vim.split(taken, '\n', { plain = true })
  vim.api.nvim_buf_set_text(buffer, row, column, row, whole and stop or column, lines)
  local last = row + #lines - 1
  local at = (#lines == 1 and column or 0) + #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { last + 1, at })
  if whole then
    shown = nil
    local client = clients.of(buffer)
    if client and suggestion.command then
      clients.run(suggestion.command.command, nil, nil, buffer)
    end
    return true
  end
  -- What is left begins where the cursor is now.
  local left = {
    text = rest:sub(#taken + 1),
    row = last,
    start = at,
    cursor = at,
    stop = at + stop - column,
    after = line_of(buffer, last):sub(at + 1),
    command = suggestion.command,
  }
  shown.suggestions, shown.index = { left }, 1
  draw()
  return true
end

return M
