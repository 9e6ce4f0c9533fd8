; What a completion may fill as a whole: everything between a pair of brackets that spans lines.
(statement_block) @block
(class_body) @block
(switch_body) @block
(object) @block
(array) @block
(arguments) @block
(formal_parameters) @block
(named_imports) @block
(export_clause) @block
(object_pattern) @block
(array_pattern) @block

; Where brackets and keywords mean nothing.
(comment) @opaque
(string) @opaque
(template_string) @opaque
(regex) @opaque
(jsx_text) @opaque
