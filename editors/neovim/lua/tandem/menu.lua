--- Whether a completion menu is open: Neovim's own, nvim-cmp's or blink.cmp's.
---
--- In: nothing. Out: yes or no. Refuses to load a plugin for the question: what is not loaded has no menu.

local M = {}

---@return boolean
function M.is_open()
  if vim.fn.pumvisible() == 1 then
    return true
  end
  local cmp = package.loaded['cmp']
  if type(cmp) == 'table' and type(cmp.visible) == 'function' and cmp.visible() then
    return true
  end
  local blink = package.loaded['blink.cmp']
  local is_open = type(blink) == 'table' and (blink.is_menu_visible or blink.is_visible)
  return type(is_open) == 'function' and is_open() == true
end

return M
