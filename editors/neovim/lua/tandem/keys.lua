--- Keys in insert mode, mapped when a server first attaches: who has no server has no mappings.
---
--- In: the configuration. Out: global mappings that do their work while there is something to do it with,
--- and otherwise what the key did before: a mapping of the user's, or the key itself. Refuses to touch
--- mappings of single buffers, where nvim-cmp and blink.cmp make theirs: those come first, and fall back on
--- ours.

local clients = require('tandem.client')
local config = require('tandem.config')
local ghost = require('tandem.ghost')
local menu = require('tandem.menu')
local own = require('tandem.ghost.own')

local M = {}

--- How a mapping of ours is known, also by `:map`.
local MARK = 'tandem: '

---@class tandem.Action
---@field words string
---@field undo? boolean The change can be undone by itself
---@field wanted fun(): boolean Whether the key is ours now
---@field run fun(): boolean? False when nothing could be done

local function served()
  return ghost.is_attached() and clients.of() ~= nil
end

---@param piece 'all'|'word'|'line'
local function accepting(piece)
  return function()
    return ghost.accept(piece)
  end
end

---@type table<string, tandem.Action>
local ACTIONS = {
  accept = {
    words = 'accept',
    undo = true,
    wanted = ghost.is_visible,
    run = accepting('all'),
  },
  accept_word = {
    words = 'accept a word',
    undo = true,
    wanted = ghost.is_visible,
    run = accepting('word'),
  },
  accept_line = {
    words = 'accept a line',
    undo = true,
    wanted = ghost.is_visible,
    run = accepting('line'),
  },
  next = {
    words = 'next suggestion',
    wanted = served,
    run = function()
      ghost.cycle(1)
    end,
  },
  previous = {
    words = 'previous suggestion',
    wanted = served,
    run = function()
      ghost.cycle(-1)
    end,
  },
  trigger = { words = 'suggest now', wanted = served, run = ghost.trigger },
  dismiss = { words = 'hide the suggestion', wanted = ghost.is_visible, run = ghost.dismiss },
}

---@type table<string, { lhs: string, theirs: boolean }> what is mapped, by action
M.mapped = {}

local function plug(what, name)
  return ('<Plug>(tandem-%s%s)'):format(what, name)
end

local function canonical(lhs)
  return vim.fn.keytrans(vim.api.nvim_replace_termcodes(lhs, true, true, true))
end

--- The global mapping of a key in insert mode.
---@param lhs string
---@return table<string, any>?
function M.found(lhs)
  for _, mapping in ipairs(vim.api.nvim_get_keymap('i')) do
    if canonical(mapping.lhs) == canonical(lhs) then
      return mapping
    end
  end
end

--- Whether a mapping is ours.
---@param mapping table<string, any>
---@return boolean
function M.is_ours(mapping)
  return vim.startswith(mapping.desc or '', MARK)
end

--- Gives a mapping another name, so that it can be fallen back on.
---@param name string
---@param lhs string
---@param mapping table<string, any>?
local function keep(name, lhs, mapping)
  local options = { noremap = true, desc = 'what ' .. lhs .. ' did before' }
  if not mapping then
    return vim.api.nvim_set_keymap('i', name, lhs, options)
  end
  options.noremap = mapping.noremap == 1
  options.expr = mapping.expr == 1
  options.silent = mapping.silent == 1
  options.replace_keycodes = mapping.replace_keycodes == 1 or nil
  options.callback = mapping.callback
  local rhs = (mapping.rhs or ''):gsub('<SID>', ('<SNR>%s_'):format(mapping.sid))
  vim.api.nvim_set_keymap('i', name, rhs, options)
end

--- Neovim's own mapping, which moves in a snippet: it is nobody's wish for menus.
local function is_default(mapping)
  return (mapping.desc or ''):find('^vim%.snippet') ~= nil
end

---@param name string
---@param lhs string
local function map(name, lhs)
  local action = ACTIONS[name]
  local before = M.found(lhs)
  if before and M.is_ours(before) then
    return
  end
  local theirs = before ~= nil and not is_default(before)
  M.mapped[name] = { lhs = lhs, theirs = theirs }
  local otherwise, work = plug('otherwise-', name), plug('key-', name)
  keep(otherwise, lhs, before)
  vim.keymap.set('i', lhs, function()
    -- A menu's key is the menu's, where somebody has mapped it for that.
    if not own.is_insert() or (theirs and menu.is_open()) or not action.wanted() then
      return otherwise
    end
    -- The menu closes as it stands: its end must not take back what is inserted.
    return vim.fn.pumvisible() == 1 and plug('', 'close-menu') .. work or work
  end, { expr = true, remap = true, replace_keycodes = true, desc = MARK .. action.words })
end

--- What a key does: `<Plug>(tandem-accept)` and so on, for mappings of the user's own.
local function name_actions()
  vim.keymap.set('i', plug('', 'close-menu'), '<C-x><C-z>')
  for name, action in pairs(ACTIONS) do
    local undo = action.undo and '<C-g>u' or ''
    local function call(of)
      return undo .. ([[<Cmd>lua require('tandem.keys').run('%s', %s)<CR>]]):format(name, of == 'key') .. undo
    end
    vim.keymap.set('i', plug('', name), call('user'), { desc = MARK .. action.words })
    -- Of our own key, which does what it did before where this is not to be done after all.
    vim.keymap.set('i', plug('key-', name), call('key'), { desc = MARK .. action.words })
  end
end

--- Does what a key is for. What cannot be done after all is left to what the key did before.
---@param name string
---@param falls_back boolean
function M.run(name, falls_back)
  if ACTIONS[name].run() == false and falls_back and M.mapped[name] then
    local otherwise = vim.api.nvim_replace_termcodes(plug('otherwise-', name), true, true, true)
    vim.api.nvim_feedkeys(otherwise, 'im', false)
  end
end

local ready = false

--- Maps what is configured, once.
function M.map()
  local keys = config.get().keys
  if ready then
    return
  end
  ready = true
  name_actions()
  for name in pairs(keys or {}) do
    if keys[name] then
      map(name, keys[name])
    end
  end
end

return M
