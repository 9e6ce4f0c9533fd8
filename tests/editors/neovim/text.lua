--- Tests of what needs no editor: where a suggestion stands, and the pieces of it. `nvim -l text.lua PLUGIN`.
---
--- In: the plugin's folder. Out: one line at the end, or the first thing that is not as it should be.

vim.opt.rtp:prepend(arg[1])
local text = require('tandem.text')

local function same(what, got, wanted)
  if not vim.deep_equal(got, wanted) then
    error(('%s: wanted %s, got %s'):format(what, vim.inspect(wanted), vim.inspect(got)), 2)
  end
end

-- A position is a byte, whatever it was counted in.
local line = 'aß→🦀z'
for _, at in ipairs({ { 0, 0, 0, 0 }, { 1, 1, 1, 1 }, { 3, 2, 2, 3 }, { 6, 3, 3, 6 }, { 10, 5, 4, 10 } }) do
  same('utf-8', text.byte_of(line, at[1], 'utf-8'), at[4])
  same('utf-16', text.byte_of(line, at[2], 'utf-16'), at[4])
  same('utf-32', text.byte_of(line, at[3], 'utf-32'), at[4])
end
for _, encoding in ipairs({ 'utf-8', 'utf-16', 'utf-32' }) do
  same('past the end', text.byte_of(line, 99, encoding), #line)
end

-- Words and lines, also of more than one byte a letter.
local function pieces(rest, piece)
  local taken = {}
  while rest ~= '' do
    local one = text.piece(rest, piece)
    assert(one ~= '', 'a piece is something')
    table.insert(taken, one)
    rest = rest:sub(#one + 1)
  end
  return taken
end
same('words', pieces('dth = größe + π2(🦀)', 'word'), { 'dth', ' =', ' größe', ' +', ' π2', '(', '🦀', ')' })
same('words over lines', pieces(' a\n    b_1:\n', 'word'), { ' a', '\n    b_1', ':', '\n' })
same('lines', pieces('a b\n    ç()\n\n  d', 'line'), { 'a b', '\n    ç()', '\n\n  d' })
same('breaks alone', pieces('\n\n', 'line'), { '\n\n' })
same('all', pieces('a\nb', 'all'), { 'a\nb' })

-- What is typed along stays; anything else goes.
local suggestion = { text = '  fügen(🦀)', row = 0, start = 0, cursor = 2, stop = 3, after = ')' }
local function fit(now, cursor)
  return { text.fit(suggestion, now, cursor) }
end
same('as asked', fit('  )', 2), { 'fügen(🦀)', 3 })
same('typed along', fit('  fü)', 5), { 'gen(🦀)', 6 })
same('deleted back', fit(' )', 1), { ' fügen(🦀)', 2 })
same('typed to its end', fit('  fügen(🦀))', 14), { '', 15 })
same('something else', fit('  x)', 3), {})
same('half a letter', fit('  f\195)', 4), { '\188gen(🦀)', 5 })
same('more than it', fit('  fügen(🦀)!)', 15), {})
same('the rest of the line is another', fit('  f]', 3), {})
same('the cursor went elsewhere', fit('  )', 1), {})

-- What stands there already is not drawn twice.
same('closers', text.drawn('b)', ')'), 'b')
same('none', text.drawn('b)', ''), 'b)')
same('others', text.drawn('b)', ']'), 'b)')

-- A tab takes the blanks up to its next stop.
same('from 0', text.without_tabs('\t\ta', 4, 0), '        a')
same('from 2', text.without_tabs('\ta\tb', 4, 2), '  a   b')

print('the text of suggestions is as it should be')
