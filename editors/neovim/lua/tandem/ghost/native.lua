--- Neovim's own ghost text, `vim.lsp.inline_completion`, from 0.12 on.
---
--- In: a client and a buffer. Out: what it shows, as a suggestion of ours, so that one piece of code puts
--- text into the buffer. Refuses what no longer fits: Neovim keeps an answer on the screen until the next
--- one comes, and would insert it over what was typed since.

local M = {}

local METHOD = 'textDocument/inlineCompletion'
-- The name is in Neovim's help; a namespace of that name is the same one.
local namespace = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')

--- Where each answer was asked for: Neovim keeps an item's range but not the cursor. By the command that
--- the item carries, which lives as long as the item does.
---@type table<table, { cursor: integer, after: string }>
local asked = setmetatable({}, { __mode = 'k' })

--- Whether this Neovim has it.
function M.is_here()
  return vim.lsp.inline_completion ~= nil
end

--- Notes for each answer of a client where it was asked for.
---@param client vim.lsp.Client
local function watch(client)
  local request = client.rpc.request
  client.rpc.request = function(method, params, answer, ...)
    if method ~= METHOD then
      return request(method, params, answer, ...)
    end
    local at = vim.api.nvim_win_get_cursor(0)
    local note = { cursor = at[2], after = vim.api.nvim_get_current_line():sub(at[2] + 1) }
    return request(method, params, function(problem, result)
      for _, item in ipairs(type(result) == 'table' and (result.items or result) or {}) do
        item.command = item.command or { title = '', command = 'tandem.accept' }
        asked[item.command] = note
      end
      answer(problem, result)
    end, ...)
  end
end

---@type table<integer, boolean> clients that are watched
local watched = {}

--- Shows ghost text in a buffer.
---@param buffer integer
---@param client? vim.lsp.Client
function M.start(buffer, client)
  if client and not watched[client.id] then
    watched[client.id] = true
    watch(client)
  end
  vim.lsp.inline_completion.enable(true, { bufnr = buffer })
end

--- Shows none any more.
---@param buffer integer
function M.stop(buffer)
  vim.lsp.inline_completion.enable(false, { bufnr = buffer })
end

--- Whether a suggestion is on the screen, in the cursor's line.
---@return boolean
function M.is_visible()
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local marks = vim.api.nvim_buf_get_extmarks(0, namespace, { row, 0 }, { row, -1 }, { details = true })
  local details = marks[1] and marks[1][4]
  if not details then
    return false
  end
  local first = details.virt_text and details.virt_text[1]
  return (first and first[1] ~= '') or #(details.virt_lines or {}) > 0
end

--- Takes what is shown off the screen and returns it, if it was asked for by us. Waits for Neovim, which
--- hands it out in the next turn of its loop: a key that comes meanwhile comes after.
---@return tandem.Suggestion?
function M.take()
  local taken, done
  local had = vim.lsp.inline_completion.get({
    on_accept = function(item)
      done, taken = true, item
      return nil
    end,
  })
  -- A few turns at most; it is scheduled already.
  if not had or not vim.wait(200, function()
    return done
  end, 1) then
    return nil
  end
  local note = taken.command and asked[taken.command]
  if not note or type(taken.insert_text) ~= 'string' or not taken.range then
    return nil
  end
  local row, start, _, stop = taken.range:to_extmark()
  return {
    text = taken.insert_text:gsub('\r\n', '\n'),
    row = row,
    start = start,
    cursor = note.cursor,
    stop = stop,
    after = note.after,
    command = taken.command,
  }
end

return M
