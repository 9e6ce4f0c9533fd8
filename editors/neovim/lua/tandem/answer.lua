--- Claude's answer as it comes: `tandem-answer:` documents, which are in no file.
---
--- In: the server's `workspace/textDocumentContent/refresh` and `window/showDocument`. Out: a buffer that
--- nobody can write, and previews and the files of answers that have ended, all in one window beside the code.
--- Refuses other documents, which stay with Neovim.

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

--- The window of ours, beside the code: previews and answers come in it, one after the other.
---@type integer?
local ours

--- Not any more, once a person has something else in it.
local function is_ours()
  if not ours or not vim.api.nvim_win_is_valid(ours) then
    return false
  end
  local shown = vim.api.nvim_win_get_buf(ours)
  return M.is_paper(shown) or vim.startswith(vim.api.nvim_buf_get_name(shown), SCHEME)
end

---@param buffer integer
---@param focus boolean
local function put(buffer, focus)
  if not is_ours() then
    local here = vim.api.nvim_get_current_win()
    vim.cmd('belowright split')
    ours = vim.api.nvim_get_current_win()
    vim.api.nvim_set_current_win(here)
  end
  vim.api.nvim_win_set_buf(ours, buffer)
  if focus then
    vim.api.nvim_set_current_win(ours)
  end
end

local function open(uri, client)
  local buffer = vim.iter(answers()):find(function(known)
    return vim.api.nvim_buf_get_name(known) == uri
  end)
  if not buffer then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(buffer, uri)
    vim.bo[buffer].modifiable = false
    vim.bo[buffer].bufhidden = 'wipe'
    vim.bo[buffer].filetype = 'markdown'
  end
  if #vim.fn.win_findbuf(buffer) == 0 then
    put(buffer, false)
  end
  read(buffer, client)
end

---@type table<string, boolean> previews, lists and answers, by path
local papers = {}

--- Whether a file is one of the server's own, which it keeps in a folder of this name outside the project.
local function is_new_paper(uri, client)
  local path = uri:match('^file:') and vim.uri_to_fname(uri) or ''
  local root = client.root_dir
  return path:match('/asks/[^/]+/[^/]+%.md$') ~= nil and not (root and vim.startswith(path, root .. '/'))
end

--- Whether a buffer is one of those.
---@param buffer integer
---@return boolean
function M.is_paper(buffer)
  return papers[vim.api.nvim_buf_get_name(buffer)] == true
end

--- The handler of `window/showDocument`.
function M.show(problem, params, context, ...)
  local uri = params and params.uri or ''
  local client = vim.lsp.get_client_by_id(context.client_id)
  if client and vim.startswith(uri, SCHEME) then
    open(uri, client)
    return { success = true }
  end
  if client and is_new_paper(uri, client) then
    papers[vim.uri_to_fname(uri)] = true
    local buffer = vim.uri_to_bufnr(uri)
    vim.bo[buffer].buflisted = true
    put(buffer, params.takeFocus == true)
    -- Its code actions are this server's: no other knows the question.
    vim.lsp.buf_attach_client(buffer, client.id)
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
