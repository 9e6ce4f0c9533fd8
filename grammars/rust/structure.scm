; What a completion may fill as a whole: everything between a pair of brackets that spans lines.
(block) @block
(declaration_list) @block
(field_declaration_list) @block
(enum_variant_list) @block
(match_block) @block
(field_initializer_list) @block
(use_list) @block
(token_tree) @block
(arguments) @block
(parameters) @block
(array_expression) @block

; Where brackets and keywords mean nothing.
(line_comment) @opaque
(block_comment) @opaque
(string_literal) @opaque
(raw_string_literal) @opaque
(char_literal) @opaque
