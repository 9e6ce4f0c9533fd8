--- Claude's answer as it comes: `tandem-answer:` documents, which are in no file.
---
--- In: the server's `workspace/textDocumentContent/refresh` and `window/showDocument`. Out: a buffer that
--- nobody can write, in a window beside the code; where the answer ended, its file in the same window.
--- Refuses other schemes, which stay with Neovim.

local clients = require('tandem.client')

local M = {}

local SCHEME = 'tandem-answer:'

---@type table<integer, boolean> buffers that are being read again, or once more after that
local reading = {}

--- Reads a document's text into its buffer.
---@param buffer integer
---@param client vim.lsp.Client
local function read(buffer, client)
  if reading[buffer] ~= nil then
    reading[buffer] = true
    return
  end
  reading[buffer] = false
  local params = { uri = vim.api.nvim_buf_get_name(buffer) }
  clients.call(client, 'request', 'workspace/textDocumentContent', params, function(problem, result)
    local again = reading[buffer]
    reading[buffer] = nil
    if not vim.api.nvim_buf_is_valid(buffer) then
      return
    end
    if not problem and type(result) == 'table' and type(result.text) == 'string' then
      vim.bo[buffer].modifiable = true
      local lines = vim.split(result.text, '\r?\n')
      vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
      vim.bo[buffer].modifiable = false
    end
    if again then
      read(buffer, client)
    end
  end)
end

local function answers()
  return vim.tbl_filter(function(buffer)
    return vim.startswith(vim.api.nvim_buf_get_name(buffer), SCHEME)
  end, vim.api.nvim_list_bufs())
end

--- A window beside the current one.
local function beside(buffer)
  local here = vim.api.nvim_get_current_win()
  vim.cmd('belowright split')
  local window = vim.api.nvim_get_current_win()
  vim.api.nvim_win_set_buf(window, buffer)
  vim.api.nvim_set_current_win(here)
  return window
end

local function open(uri, client)
  local buffer = vim.fn.bufnr('^' .. vim.fn.escape(uri, '*?[]{},~') .. '$')
  if buffer < 0 then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, uri)
    vim.bo[buffer].modifiable = false
    vim.bo[buffer].bufhidden = 'wipe'
    vim.bo[buffer].filetype = 'markdown'
  end
  if #vim.fn.win_findbuf(buffer) == 0 then
    vim.wo[beside(buffer)].wrap = true
  end
  read(buffer, client)
end

--- The handler of `window/showDocument`.
function M.show(problem, params, context, ...)
  local uri = params and params.uri or ''
  local client = vim.lsp.get_client_by_id(context.client_id)
  if client and vim.startswith(uri, SCHEME) then
    open(uri, client)
    return { success = true }
  end
  -- The file of an answer that has ended takes the place where it came in.
  local answer = answers()[1]
  local window = answer and vim.fn.win_findbuf(answer)[1]
  if window and not params.takeFocus and vim.startswith(uri, 'file:') then
    local buffer = vim.uri_to_bufnr(uri)
    vim.bo[buffer].buflisted = true
    vim.api.nvim_win_set_buf(window, buffer)
    return { success = true }
  end
  return vim.lsp.handlers['window/showDocument'](problem, params, context, ...)
end

--- The handler of `workspace/textDocumentContent/refresh`.
function M.refresh(_, params, context)
  local client = vim.lsp.get_client_by_id(context.client_id)
  for _, buffer in ipairs(client and answers() or {}) do
    if vim.api.nvim_buf_get_name(buffer) == params.uri then
      read(buffer, client)
    end
  end
  return vim.NIL
end

return M
