; What a completion may fill as a whole: everything between a pair of brackets that spans lines.
(compound_statement) @block
(declaration_list) @block
(field_declaration_list) @block
(enumerator_list) @block
(initializer_list) @block
(argument_list) @block
(parameter_list) @block

; Where brackets and keywords mean nothing.
(comment) @opaque
(string_literal) @opaque
(raw_string_literal) @opaque
(char_literal) @opaque
(system_lib_string) @opaque
