--- Draws a suggestion as virtual text: its first line in the cursor's line, the others below.
---
--- In: a buffer, a place, the text still to come. Out: one extmark. Refuses nothing; a place that is gone
--- draws nothing.

local text = require('tandem.text')

local M = {}

local namespace = vim.api.nvim_create_namespace('tandem.ghost')

--- Our highlight groups follow Neovim's own for inline completion where it has them (0.12).
function M.highlight()
  local theirs = vim.fn.hlexists('ComplHint') == 1
  local function link(name, to)
    vim.api.nvim_set_hl(0, name, { link = to, default = true })
  end
  link('TandemGhostText', theirs and 'ComplHint' or 'NonText')
  link('TandemGhostCount', theirs and 'ComplHintMore' or 'MoreMsg')
end

--- Takes what was drawn off a buffer.
---@param buffer integer
function M.clear(buffer)
  if vim.api.nvim_buf_is_valid(buffer) then
    vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
end

--- Draws, and takes off what was drawn before.
---@param buffer integer
---@param row integer
---@param column integer Byte column of the cursor
---@param rest string What is still to come
---@param replaced string What it replaces behind the cursor
---@param count? string Such as "2/3"
function M.draw(buffer, row, column, rest, replaced, count)
  M.clear(buffer)
  local width = vim.bo[buffer].tabstop
  local lines = vim.split(text.drawn(rest, replaced), '\n', { plain = true })
  local before = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
  local from = vim.fn.strdisplaywidth(before:sub(1, column))
  local first = { { text.without_tabs(lines[1], width, from), 'TandemGhostText' } }
  local below = {}
  for at = 2, #lines do
    table.insert(below, { { text.without_tabs(lines[at], width, 0), 'TandemGhostText' } })
  end
  if count then
    table.insert(below[#below] or first, { ' ' .. count, 'TandemGhostCount' })
  end
  pcall(vim.api.nvim_buf_set_extmark, buffer, namespace, row, column, {
    virt_text = first,
    virt_text_pos = 'inline',
    virt_lines = below,
    hl_mode = 'combine',
  })
end

return M
