--- What the plugin offers to a configuration: `require('tandem')`.
---
--- In: calls of the user's. Out: see each. Everything works without any of them.

local M = {}

--- Changes the configuration. Optional; `vim.g.tandem` is the same.
---@param options? table
function M.setup(options)
  require('tandem.config').set(options)
end

--- A word or two for a statusline; empty where no server runs.
---@return string
function M.status()
  return require('tandem.state').words()
end

--- What the server last said of itself; nil where none runs.
---@return tandem.Status?
function M.state()
  return require('tandem.state').of()
end

--- Whether a suggestion can be accepted here and now. For mappings of your own.
---@return boolean
function M.visible()
  return require('tandem.ghost').is_visible()
end

--- Accepts what is shown; says whether there was something. Not inside an `expr` mapping: use
--- `<Plug>(tandem-accept)` there.
---@param piece? 'all'|'word'|'line'
---@return boolean
function M.accept(piece)
  return require('tandem.ghost').accept(piece or 'all')
end

--- Shows the next suggestion, or the one before with -1.
---@param step? integer
function M.cycle(step)
  require('tandem.ghost').cycle(step or 1)
end

--- Asks for suggestions, up to three.
function M.trigger()
  require('tandem.ghost').trigger()
end

--- Takes the suggestion off the screen.
function M.dismiss()
  require('tandem.ghost').dismiss()
end

--- Asks Claude about the cursor's place, after a look at what would be sent. An empty question is asked for.
---@param question? string
---@param change? boolean For a change of the text instead of an answer
function M.ask(question, change)
  local line = vim.fn.line('.')
  local place = { range = 0, line1 = line, line2 = line }
  local rest = { args = question or '', bang = change or false }
  require('tandem.commands').ask(vim.tbl_extend('force', place, rest))
end

return M
