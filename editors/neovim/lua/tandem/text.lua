--- Text: where a suggestion stands in a line, and the pieces of it that a person takes.
---
--- In: strings and byte columns from 0. Out: strings and byte columns. Pure: nothing here asks Neovim
--- for anything, so that it runs under `nvim -l`. Refuses nothing: what does not fit is nil.

local M = {}

--- One suggestion, as it was when it was asked for.
---@class tandem.Suggestion
---@field text string What stands at `start` once it is accepted, lines divided by "\n"
---@field row integer Line, from 0
---@field start integer Byte column where `text` begins
---@field cursor integer Byte column of the cursor when it was asked for
---@field stop integer Byte column up to which `text` replaces what stood there
---@field after string The line behind the cursor when it was asked for
---@field command? lsp.Command What the server is told once it is accepted

--- The byte column of a protocol position, whatever its unit. Past the end is the end.
---@param line string
---@param units integer
---@param encoding 'utf-8'|'utf-16'|'utf-32'
---@return integer
function M.byte_of(line, units, encoding)
  if encoding == 'utf-8' then
    return math.min(units, #line)
  end
  local byte = 0
  while units > 0 and byte < #line do
    local lead = line:byte(byte + 1)
    local length = lead >= 0xf0 and 4 or lead >= 0xe0 and 3 or lead >= 0xc0 and 2 or 1
    -- Only what takes four bytes takes two units of UTF-16.
    units = units - (encoding == 'utf-16' and length == 4 and 2 or 1)
    byte = byte + length
  end
  return math.min(byte, #line)
end

--- A suggestion against the line as it is now: what of it is still to come, and the byte column up to
--- which it replaces. Nil when the person has typed something else. Typing its beginning keeps it, and so
--- does deleting back; what stands behind the cursor must not have changed.
---@param suggestion tandem.Suggestion
---@param line string
---@param cursor integer
---@return string? rest, integer? stop
function M.fit(suggestion, line, cursor)
  if cursor < suggestion.start or line:sub(cursor + 1) ~= suggestion.after then
    return nil
  end
  local typed = line:sub(suggestion.start + 1, cursor)
  if suggestion.text:sub(1, #typed) ~= typed then
    return nil
  end
  return suggestion.text:sub(#typed + 1), cursor + suggestion.stop - suggestion.cursor
end

-- Bytes from 0x80 on are parts of letters, as far as words go.
local WORD = '[%w_\128-\255]+'
local SIGNS = '[^%w_%s\128-\255]+'

--- The piece of `rest` that one key takes.
---@param rest string
---@param piece 'all'|'word'|'line'
---@return string
function M.piece(rest, piece)
  if piece == 'word' then
    return rest:match('^%s*' .. WORD) or rest:match('^%s*' .. SIGNS) or rest
  elseif piece == 'line' then
    -- At a line's end the piece is the next line, its indentation with it.
    return rest:match('^\n*[^\n]+') or rest
  end
  return rest
end

--- What of `rest` is drawn before the text behind the cursor: without the closing brackets that it
--- brings and that stand there already.
---@param rest string
---@param replaced string
---@return string
function M.drawn(rest, replaced)
  if replaced ~= '' and rest:sub(-#replaced) == replaced then
    return rest:sub(1, #rest - #replaced)
  end
  return rest
end

--- Tabs as the blanks that they take from display column `column` on, since virtual text has none.
---@param text string
---@param width integer 'tabstop'
---@param column integer
---@return string
function M.without_tabs(text, width, column)
  local out = text:gsub('()\t', function(at)
    -- Good for indentation, where each character takes one column.
    local from = column + at - 1
    column = column + width - from % width - 1
    return (' '):rep(width - from % width)
  end)
  return out
end

return M
