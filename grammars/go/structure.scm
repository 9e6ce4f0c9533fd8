; What a completion may fill as a whole: everything between a pair of brackets that spans lines.
(block) @block
(field_declaration_list) @block
(interface_type) @block
(expression_switch_statement) @block
(type_switch_statement) @block
(select_statement) @block
(literal_value) @block
(argument_list) @block
(parameter_list) @block
(import_spec_list) @block

; Where brackets and keywords mean nothing.
(comment) @opaque
(interpreted_string_literal) @opaque
(raw_string_literal) @opaque
(rune_literal) @opaque
