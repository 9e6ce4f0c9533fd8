--- `:checkhealth tandem`: what works here, and what to do about the rest.
---
--- In: this Neovim, the configuration, the server's program. Out: a report. Refuses to change anything, to
--- start a server, and to measure: that is `tandem doctor`.

local config = require('tandem.config')
local keys = require('tandem.keys')
local start = require('tandem.start')
local state = require('tandem.state')

local M = {}

--- What the server's program says; nil when it cannot.
local function says(...)
  local program = config.get().cmd[1]
  local ok, process = pcall(vim.system, { program, ... }, { text = true })
  local ran = ok and process:wait(5000)
  if ran and ran.code == 0 then
    return vim.trim(ran.stdout or '')
  end
  return nil, ran and vim.trim(ran.stderr or '') or 'it does not run'
end

local function neovim()
  vim.health.start('tandem: Neovim')
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') == 0 then
    return vim.health.error(version .. ' is too old', 'Neovim 0.10 or later is needed')
  end
  local wanted = config.get().ghost_text
  local how = wanted == false and 'none, as configured'
    or config.is_native() and "Neovim's own (vim.lsp.inline_completion)"
    or "the plugin's own"
  vim.health.ok(('%s, ghost text: %s'):format(version, how))
  if wanted == 'native' and not config.is_native() then
    vim.health.warn("this Neovim has no ghost text of its own, so the plugin's is used")
  end
  for _, problem in ipairs(config.problems) do
    vim.health.warn(problem, '`:help tandem-settings`')
  end
end

local function program()
  vim.health.start('tandem: program and model')
  local problem = start.problem()
  if problem then
    return vim.health.error(problem)
  end
  local version, trouble = says('--version')
  if not version then
    return vim.health.error(('`%s --version` fails: %s'):format(config.get().cmd[1], trouble))
  end
  vim.health.ok(('%s, %s'):format(version, vim.fn.exepath(config.get().cmd[1])))
  local model, missing = says('model', 'path')
  if model then
    vim.health.ok('model: ' .. vim.fs.basename(model))
  else
    local remedy = '`:LspTandemPull`, or `tandem model pull` in a terminal'
    vim.health.error('no model: ' .. (missing or ''), remedy)
  end
end

local function servers()
  vim.health.start('tandem: servers')
  local running = vim.lsp.get_clients({ name = 'tandem' })
  if #running == 0 then
    return vim.health.info('none runs; open a file of a language in `filetypes`')
  end
  for _, client in ipairs(running) do
    local buffers = vim.tbl_keys(client.attached_buffers)
    local words = 'client %d: %s, %d files, %s'
    local root = client.root_dir or 'no project'
    local said = buffers[1] and state.words(buffers[1]) or ''
    vim.health.ok(words:format(client.id, root, #buffers, said))
  end
end

local function mappings()
  vim.health.start('tandem: keys in insert mode')
  local wanted = config.get().keys
  if not wanted then
    return vim.health.info('none, as configured; map `<Plug>(tandem-accept)` and the others yourself')
  end
  if not next(keys.mapped) then
    return vim.health.info('they are mapped when a server first attaches')
  end
  for name, lhs in vim.spairs(wanted) do
    local found = lhs and keys.found(lhs)
    if found and keys.is_ours(found) then
      local before = keys.mapped[name] and keys.mapped[name].theirs
      vim.health.ok(('%s: %s%s'):format(lhs, name, before and ', else your own mapping of before' or ''))
    elseif lhs then
      local remedy = ('map %s after the plugin to `<Plug>(tandem-%s)`, or choose another key'):format(
        lhs,
        name
      )
      vim.health.warn(
        ('%s is mapped by something else: %s'):format(
          lhs,
          found and (found.desc or found.rhs) or 'nothing, it was unmapped'
        ),
        remedy
      )
    end
  end
  for _, other in ipairs({ 'cmp', 'blink.cmp', 'copilot' }) do
    if package.loaded[other] then
      vim.health.info(other .. ' is loaded too; `:help tandem-menus`')
    end
  end
end

--- Neovim calls this.
function M.check()
  neovim()
  program()
  servers()
  mappings()
end

return M
