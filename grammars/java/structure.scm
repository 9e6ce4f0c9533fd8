; What a completion may fill as a whole: everything between a pair of brackets that spans lines.
(block) @block
(class_body) @block
(interface_body) @block
(enum_body) @block
(annotation_type_body) @block
(constructor_body) @block
(switch_block) @block
(array_initializer) @block
(argument_list) @block
(formal_parameters) @block

; Where brackets and keywords mean nothing.
(line_comment) @opaque
(block_comment) @opaque
(string_literal) @opaque
(character_literal) @opaque
