--- Ghost text, whoever draws it: Neovim itself (0.12) or we.
---
--- In: a buffer that our server serves, and what a person wants of a suggestion. Out: the same behaviour on
--- all versions. Neovim's own knows no words, no lines and no asking: when a person wants one of these, ours
--- takes over in that buffer until insert mode ends.

local config = require('tandem.config')
local clients = require('tandem.client')
local drawing = require('tandem.ghost.drawing')
local native = require('tandem.ghost.native')
local own = require('tandem.ghost.own')

local M = {}

---@type table<integer, 'native'|'own'> buffers with ghost text, and who draws it
local drawn_by = {}

---@type table<integer, boolean> buffers in which the user has turned Neovim's own on, for whatever server
local wished = {}

local function here()
  return drawn_by[vim.api.nvim_get_current_buf()]
end

--- Ours draws in the current buffer from now on.
local function take_over()
  local buffer = vim.api.nvim_get_current_buf()
  native.stop(buffer)
  drawn_by[buffer] = 'own'
end

--- Neovim's own is turned on for all servers of a buffer. Where another one has ghost text that nobody has
--- turned on, ours draws: it asks our server alone.
local function can_be_native(buffer, client)
  if not config.is_native() then
    return false
  end
  if wished[buffer] then
    return true
  end
  return not vim.iter(vim.lsp.get_clients({ bufnr = buffer })):any(function(other)
    return other.id ~= client.id and other:supports_method('textDocument/inlineCompletion')
  end)
end

local function left(buffer)
  own.left()
  local client = clients.of(buffer)
  if drawn_by[buffer] == 'own' and client and can_be_native(buffer, client) then
    drawn_by[buffer] = 'native'
    native.start(buffer)
  end
end

--- Begins in a buffer that a client now serves.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  if not config.get().ghost_text then
    return
  end
  drawing.highlight()
  if config.is_native() and drawn_by[buffer] == nil then
    wished[buffer] = vim.lsp.inline_completion.is_enabled({ bufnr = buffer })
  end
  local is_native = can_be_native(buffer, client)
  drawn_by[buffer] = is_native and 'native' or 'own'
  if is_native then
    native.start(buffer, client)
  end
  local group = vim.api.nvim_create_augroup('tandem.ghost.' .. buffer, { clear = true })
  local function on(events, run)
    vim.api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = run })
  end
  on({ 'InsertEnter', 'TextChangedI', 'TextChangedP', 'CursorMovedI' }, function()
    if drawn_by[buffer] == 'own' then
      own.moved()
    end
  end)
  on({ 'InsertLeave', 'BufLeave' }, function()
    left(buffer)
  end)
  if not is_native and vim.api.nvim_get_current_buf() == buffer then
    own.moved()
  end
end

--- Another server has come to a buffer.
---@param buffer integer
function M.joined(buffer)
  local client = drawn_by[buffer] == 'native' and clients.of(buffer)
  if client and not can_be_native(buffer, client) then
    native.stop(buffer)
    drawn_by[buffer] = 'own'
  end
end

--- Ends in a buffer.
---@param buffer integer
function M.detach(buffer)
  if drawn_by[buffer] then
    own.dismiss()
    if drawn_by[buffer] == 'native' and not wished[buffer] then
      pcall(native.stop, buffer)
    end
    wished[buffer] = nil
    drawn_by[buffer] = nil
    pcall(vim.api.nvim_del_augroup_by_name, 'tandem.ghost.' .. buffer)
  end
end

--- Whether the current buffer has ghost text at all.
function M.is_attached()
  return here() ~= nil
end

--- Whether a suggestion can be accepted here and now.
---@return boolean
function M.is_visible()
  local who = here()
  return (who == 'own' and own.is_visible()) or (who == 'native' and native.is_visible())
end

--- Accepts a piece; says whether there was something that fits.
---@param piece 'all'|'word'|'line'
---@return boolean
function M.accept(piece)
  if here() ~= 'native' then
    return here() == 'own' and own.accept(piece)
  end
  local suggestion = native.take()
  if not suggestion then
    return false
  end
  local buffer = vim.api.nvim_get_current_buf()
  own.adopt(buffer, suggestion)
  if piece ~= 'all' then
    take_over()
  end
  local accepted = own.accept(piece)
  if not accepted then
    own.dismiss()
  end
  return accepted
end

--- Shows the next suggestion (1) or the one before (-1).
---@param step integer
function M.cycle(step)
  if here() == 'native' then
    local suggestion = native.take()
    take_over()
    if suggestion then
      own.adopt(vim.api.nvim_get_current_buf(), suggestion)
    end
  end
  own.cycle(step)
end

--- Asks for suggestions.
function M.trigger()
  if here() == 'native' then
    take_over()
  end
  own.trigger()
end

--- Takes the suggestion off the screen.
function M.dismiss()
  if here() == 'native' then
    native.take()
  end
  own.dismiss()
end

return M
