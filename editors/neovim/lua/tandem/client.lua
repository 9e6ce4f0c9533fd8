--- Our clients, and calls to them that read the same from Neovim 0.10 on.
---
--- In: a buffer, a request. Out: what Neovim's client answers. Refuses nothing.

local M = {}

-- The methods of a client take the client since 0.11, and warn of the older way.
local METHODS = vim.fn.has('nvim-0.11') == 1

--- Calls a method of a client.
---@param client vim.lsp.Client
---@param method string
function M.call(client, method, ...)
  if METHODS then
    return client[method](client, ...)
  end
  return client[method](...)
end

--- The client that serves a buffer, if one does and has begun.
---@param buffer? integer The current one if missing
---@return vim.lsp.Client?
function M.of(buffer)
  local found = vim.lsp.get_clients({ name = 'tandem', bufnr = buffer or 0 })
  return found[1]
end

--- Runs one of the server's commands.
---@param name string
---@param argument? any
---@param done? fun(result: any)
---@param buffer? integer
function M.run(name, argument, done, buffer)
  local client = M.of(buffer)
  if not client then
    local words =
      'tandem: no server runs here; `:checkhealth tandem` says why, `:LspTandemRestart` starts one'
    vim.notify(words, vim.log.levels.WARN)
    return
  end
  local params = { command = name, arguments = argument ~= nil and { argument } or {} }
  M.call(client, 'request', 'workspace/executeCommand', params, function(problem, result)
    if problem then
      vim.notify('tandem: ' .. tostring(problem.message), vim.log.levels.ERROR)
    elseif done then
      done(result)
    end
  end, buffer or 0)
end

return M
